"""Wire-level fakes of the services that the bot talks to."""

"""The door to Discord: a gateway connection by discord.py in, plain REST calls out."""

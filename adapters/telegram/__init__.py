"""The door to Telegram: long polling in, messages with entities out, over python-telegram-bot's `Bot`."""

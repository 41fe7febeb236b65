"""A strict wire-level fake of the Telegram Bot API 10.x.

`server.FakeTelegram` is the door; `people` and `places` hold what a test may do. Error texts, limits and
quirks come from tdlib/telegram-bot-api (Client.cpp, version 10.0) and tdlib/td; stricter modules say so.
"""

"""Tests of `adapters.discord`: the real discord.py against the wire-level fake."""

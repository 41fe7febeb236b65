"""Tests of the providers: the real SDK against a strict server on loopback."""

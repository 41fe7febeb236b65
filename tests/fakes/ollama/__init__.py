"""A fake of Ollama's own API as of 0.32: it cuts long prompts like the real one, unless it is told not to.

Tests start it with `async with FakeOllama() as fake` (module `server`); steps are those of `tests.fakes.script`.
"""

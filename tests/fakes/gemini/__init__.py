"""A strict fake of the Gemini API: `streamGenerateContent` and the list of models.

Tests start it with `async with FakeGemini() as fake` (module `server`), script it with values from `tests.fakes.script`
and `faults`, and read what happened from `fake.requests`, `fake.asked`, `fake.billed` and `fake.left_early`.
"""

"""A strict fake of Anthropic's wire: Messages (version 2026-10-21) and the list of models.

Tests start it with `async with FakeAnthropic() as fake` (module `server`), tell it what to say with the steps of
`tests.fakes.script`, and read what happened from `fake.asked`, `fake.billed` and `fake.left_early`.
"""

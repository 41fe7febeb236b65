"""A strict fake of the OpenAI wire: Responses, Chat Completions of many servers, model lists.

Tests start it with `async with FakeOpenAI() as fake` (module `server`), script it with values from
`script` and `faults`, and read what happened from `fake.requests`, `fake.billed` and `fake.disconnects`.
"""

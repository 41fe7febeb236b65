"""Tests of the tools: each against strict fakes of what it asks."""

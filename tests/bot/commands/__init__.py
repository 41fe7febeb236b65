"""Tests of the commands, each at a desk of fakes."""

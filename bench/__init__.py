"""Benchmarks against our own fakes: `python -m bench` prints a table and writes JSON."""

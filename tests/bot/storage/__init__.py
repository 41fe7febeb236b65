"""Tests of the storage, against a real MongoDB."""

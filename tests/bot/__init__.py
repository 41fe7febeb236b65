"""Tests of the product, laid out like the tree of `bot`."""

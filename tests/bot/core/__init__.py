"""Tests of the domain and the engine, with named fakes of every port."""

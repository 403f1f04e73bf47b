"""Tests of `bench.growth`."""

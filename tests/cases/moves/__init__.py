"""Tests of `cases.moves`."""

"""Tests of `cases.incidents`."""

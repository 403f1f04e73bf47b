"""Tests of `cases.keys`."""

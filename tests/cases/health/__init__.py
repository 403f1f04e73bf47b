"""Tests of `cases.health`."""

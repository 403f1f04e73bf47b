"""Tests of `cases.decisions`."""

"""Tests of `cases.acts`."""

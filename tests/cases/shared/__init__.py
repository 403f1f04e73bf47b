"""Tests of `cases.shared`."""

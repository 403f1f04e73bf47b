"""Tests of `cases.case`."""

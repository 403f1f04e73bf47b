"""Tests of `cases.notices`."""

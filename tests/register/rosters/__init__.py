"""Tests of `register.rosters`."""

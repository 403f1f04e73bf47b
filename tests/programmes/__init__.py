"""Tests of `programmes`."""

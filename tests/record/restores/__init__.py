"""Tests of `record.restores`."""

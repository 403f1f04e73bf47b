"""Tests of `record.seal`."""

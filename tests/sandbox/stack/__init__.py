"""Tests of `sandbox.stack`."""

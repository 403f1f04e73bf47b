"""Tests of `sandbox.standins`."""

"""Tests of `sandbox.demo`."""

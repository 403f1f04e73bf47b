"""Tests of `temporal`."""

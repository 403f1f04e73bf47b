"""Tests of `cases.files`."""

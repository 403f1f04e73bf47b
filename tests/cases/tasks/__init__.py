"""Tests of `cases.tasks`."""

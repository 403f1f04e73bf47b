"""Tests of `cases.commands`."""

"""Tests of `cases.deadlines`."""

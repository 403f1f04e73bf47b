"""Tests of the measurements, and of the budget of a case."""

"""Tests of the whole stack, as `hetao up` runs it."""

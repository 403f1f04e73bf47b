"""The same work on Restate."""

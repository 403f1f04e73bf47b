"""The same work done in other ways: one driver, and a side for each engine."""

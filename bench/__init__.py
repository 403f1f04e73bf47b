"""Measurements: what one case costs, how many a second, and the same work done in other ways."""

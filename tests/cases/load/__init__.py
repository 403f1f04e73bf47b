"""Load: what waits for whom."""

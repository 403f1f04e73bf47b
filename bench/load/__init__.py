"""Load: how much the engine takes, how fairly, and what it does with more."""

"""Clocks of a case, and the deadlines that hang on them."""

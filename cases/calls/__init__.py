"""The outward calls of a case: which are due, and what became of them."""

"""Growth: the same work over more rows, and what cases cost that only wait."""

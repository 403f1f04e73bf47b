"""Lines for the operator: what stopped, of which cause, what is known of the case, and what was never loaded."""

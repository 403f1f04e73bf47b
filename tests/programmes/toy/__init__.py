"""A programme of the tests alone, in a room like any other: a form, a decision, and a greeting to the world outside."""

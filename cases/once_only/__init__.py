"""Once only: what was verified in one case is offered to the next of the same person, and stands or falls with it."""

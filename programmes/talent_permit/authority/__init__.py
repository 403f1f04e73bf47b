"""The exit-entry administration: calls to it, and its outcomes, taken in once and applied in order."""

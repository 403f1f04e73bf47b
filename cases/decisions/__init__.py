"""Decisions: assessed, mended, reviewed, signed a second time, held, settled."""

"""The moves of any case: their table, what its columns do, and what may be asked of a case now."""

"""What may be done with a case now, and where it stands: for pages, so that none of them guesses."""

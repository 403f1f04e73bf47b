"""Rosters: a file of an employer taken on, checked row by row, worked off, and handed back."""

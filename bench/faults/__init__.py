"""Breaks things under a thousand cases and looks whether anything was lost."""

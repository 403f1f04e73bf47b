"""A park of one's own whose time is skipped: years of a permit's life in less than a minute."""

"""The case itself: loaded under lock, changed in memory, saved whole; read without lock, and what a reader may see."""

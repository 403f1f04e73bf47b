"""How much waits for whom, for how long, and which promises are kept: figures for those who lead the work."""

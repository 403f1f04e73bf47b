"""The embedded stack: its directory, its processes, and the supervisor that keeps them up."""

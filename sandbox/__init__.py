"""Stand-ins for the world outside, and the supervisor of the embedded run."""

"""The talent permit: registration by the employer, permits by the exit-entry administration."""

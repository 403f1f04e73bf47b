"""What happens in which order and what is waited for; deterministic, a file a workflow."""

"""What touches the world; a file for each thing touched."""

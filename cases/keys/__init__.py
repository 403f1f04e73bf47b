"""Keys of the service and of persons: what each process holds, how they are rotated and wrapped again."""

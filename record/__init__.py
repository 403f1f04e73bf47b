"""What was done: searched, told, proved, exported, and run again."""

"""Tasks of staff: the inbox, its lists and queries, and what time does to a review's tasks."""

"""The same work on DBOS."""

"""The plain way on Temporal: an activity a step, a child workflow for each permit and each notice, all by default."""

"""How the whole stands: readiness, figures and gauges, rounds, and whether the database came back from elsewhere."""

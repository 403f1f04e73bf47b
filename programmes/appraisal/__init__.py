"""Appraisal of talent: a person asks, by what they achieved or by points, and is recognised with a certificate."""

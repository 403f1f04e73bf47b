"""Talent appraisal: a person asks to be recognised, an employer confirms the employment, officers see and decide."""

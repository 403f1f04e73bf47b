"""Persons and their data: sign-in, own cases and data, who read it, objections, erasure, retention, legal holds."""

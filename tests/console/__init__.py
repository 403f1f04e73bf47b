"""Tests of the console without a browser: its pages as they are served, on the real API and PostgreSQL."""

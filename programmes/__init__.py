"""Programmes: a room for each, all laid out alike."""

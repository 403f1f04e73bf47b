"""Thin HTTP: who may, shape in, shape out; a file for each kind of caller."""

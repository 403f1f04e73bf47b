"""Rows as classes: a module for each of `store.tables`, a class for each table, a field for each column."""

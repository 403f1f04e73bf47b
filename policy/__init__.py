"""The rules: dated parameters in YAML with their source, formulas in Python."""

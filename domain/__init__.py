"""The words: stages, messages, identifiers, errors and allowed moves."""

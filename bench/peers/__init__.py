"""The same work on other engines, each written as its own documentation would have it."""

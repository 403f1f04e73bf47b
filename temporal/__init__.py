"""Temporal's client, data converter, codec, search attributes and interceptors."""

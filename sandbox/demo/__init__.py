"""The demo: two rosters through the whole of the engine, and what is read back of them."""

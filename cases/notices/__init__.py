"""Notices: their exact texts, their deliveries, what became of them, and who has read them."""

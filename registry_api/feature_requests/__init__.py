"""Requests for features that do not exist, and what became of them."""

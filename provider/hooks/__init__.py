"""Hooks: the only way to AWS."""

"""Triggers, one file per noun."""

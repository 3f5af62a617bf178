"""The engine that sends rows to a feature set."""

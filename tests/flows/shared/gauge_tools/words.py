"""The part that never changes."""

HARBOUR = "north"

"""The ladder of readiness, and the board that watches it for every waiter."""

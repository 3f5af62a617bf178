"""The record of experiments: append-only, and chained by hashes so that a changed entry shows."""

"""Statistics of features in a window, and how far they are from a baseline."""

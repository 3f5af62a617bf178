"""Marquez's read interface upon the catalog, for its clients and its web page."""

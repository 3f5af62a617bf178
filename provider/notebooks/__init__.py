"""Notebooks beside modules and DAGs: kept in step both ways, and written one from the other."""

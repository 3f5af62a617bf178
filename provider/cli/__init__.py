"""The command line ``festaf``."""

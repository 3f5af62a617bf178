"""Sensors, one file per noun."""

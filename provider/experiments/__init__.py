"""Experiments for other tools: the export to MLflow."""

"""Clouds in which artifacts are listed and described: AWS; Azure and GCP are declared."""

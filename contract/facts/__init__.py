"""What tasks attach to their asset events, told as OpenLineage datasets: one file per noun, one entry per kind."""

"""What the registry is measured against."""

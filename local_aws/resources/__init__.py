"""What every kind of resource besides feature groups has in common: its record, its repository, its lists, its tags."""

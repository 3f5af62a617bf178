"""What survives a restart: nothing, or everything in a directory."""

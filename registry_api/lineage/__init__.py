"""Events: intake, append-only storage, folding."""

"""Features: versions, productions, and the answer to where a feature comes from."""

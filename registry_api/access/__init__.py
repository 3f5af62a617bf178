"""Bearer tokens with scopes."""

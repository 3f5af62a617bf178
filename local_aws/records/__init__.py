"""The feature store runtime: records online, and what goes to the offline store."""

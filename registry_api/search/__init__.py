"""Find features by words, names nearly right, and facts."""

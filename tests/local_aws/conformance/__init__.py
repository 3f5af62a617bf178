"""The cases of the conformance suite: for each operation a call that works, and what does not."""

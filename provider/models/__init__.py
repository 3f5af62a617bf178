"""What is done with models: how they are named, read, registered, compared, approved and retired."""

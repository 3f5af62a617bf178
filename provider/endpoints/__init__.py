"""What is done with endpoints: how they are asked for, deployed, shifted, asked and retired."""

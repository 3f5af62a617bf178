"""DAG packages: staged, reviewed, published and served; the code in them is read and never run."""

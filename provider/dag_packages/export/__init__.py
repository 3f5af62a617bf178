"""The author's side: from a DAG file, or a folder of them, to a package in a registry."""

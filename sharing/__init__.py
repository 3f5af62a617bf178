"""What the author's machine, the registry and the importer each compute alike from the bytes of a shared DAG.

Static reading, the canonical archive, its digest and its signature stand here, so that no side has to trust another's
word. Nothing in this room imports or runs what it reads, and nothing in it needs Airflow.
"""

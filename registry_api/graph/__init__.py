"""The lineage graph: nodes, edges with origin and validity, bounded walks."""

"""The catalog: jobs, datasets, their versions and facets, as OpenLineage events told them."""

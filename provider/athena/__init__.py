"""Queries that Athena runs for us: started once, waited for with a deadline, never answered twice."""

"""Athena on DuckDB: Trino's SQL over the tables of moto's Glue and the objects of moto's S3."""

from festaf.local_aws.athena.service import AthenaService

__all__ = ["AthenaService"]

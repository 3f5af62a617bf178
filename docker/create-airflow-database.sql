-- The registry's database is made by the image; Airflow has one of its own.
CREATE DATABASE airflow;

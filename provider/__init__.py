"""The Airflow side besides operators and sensors."""

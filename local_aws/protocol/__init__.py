"""AWS's wire protocols, seen from the server, driven by botocore's own service models."""

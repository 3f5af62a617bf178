"""SageMaker's jobs, really run: training, processing and batch transform, in processes of their own."""

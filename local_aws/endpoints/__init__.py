"""SageMaker's endpoints: their configurations, what they go through, and the processes that answer for them."""

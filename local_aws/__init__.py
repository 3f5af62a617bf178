"""The local AWS: one server that stands in for AWS in the demo, the tests and on a laptop."""

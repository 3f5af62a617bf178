"""What can go wrong in the demo. Each message is one sentence that says what to do.

DemoError
├── PortInUseError      something else listens there
├── MissingToolError    a package or folder is not there
├── StartError          a process ended, or was not ready in time
└── RunError            a DAG run did not succeed
"""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot go on."""


class PortInUseError(DemoError):
    """Something else listens on a port that the demo needs."""


class MissingToolError(DemoError):
    """Something that the demo needs is not installed."""


class StartError(DemoError):
    """A process of the demo ended or was not ready in time."""


class RunError(DemoError):
    """A DAG run of the demo did not succeed."""

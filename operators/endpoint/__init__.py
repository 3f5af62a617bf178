"""Operators that deploy, shift, ask and retire endpoints, and what they are told with."""

from festaf.operators.endpoint.deletion import DeleteEndpointOperator
from festaf.operators.endpoint.deployment import DeployEndpointOperator
from festaf.operators.endpoint.invocation import InvokeEndpointOperator
from festaf.operators.endpoint.traffic import ShiftTrafficOperator
from festaf.provider.endpoints.policy import AllAtOnce, Canary, Linear, Rolling
from festaf.provider.endpoints.smoke import SmokeRequest
from festaf.provider.endpoints.variant import AsyncInference, DataCapture, Serverless, Variant

__all__ = [
    "AllAtOnce",
    "AsyncInference",
    "Canary",
    "DataCapture",
    "DeleteEndpointOperator",
    "DeployEndpointOperator",
    "InvokeEndpointOperator",
    "Linear",
    "Rolling",
    "Serverless",
    "ShiftTrafficOperator",
    "SmokeRequest",
    "Variant",
]

"""Operators that create, register, compare, approve and retire models."""

from festaf.operators.model.approval import ApproveModelVersionOperator
from festaf.operators.model.comparison import CompareModelsOperator
from festaf.operators.model.creation import CreateModelOperator
from festaf.operators.model.deletion import DeleteModelOperator
from festaf.operators.model.registration import RegisterModelVersionOperator

__all__ = [
    "ApproveModelVersionOperator",
    "CompareModelsOperator",
    "CreateModelOperator",
    "DeleteModelOperator",
    "RegisterModelVersionOperator",
]

"""Declare what a task reads and writes: ``@produces``, ``@consumes``, ``declare`` and ``wrote``."""

from festaf.provider.lineage.declaring import Declaration, consumes, declare, produces, wrote

__all__ = ["Declaration", "consumes", "declare", "produces", "wrote"]

"""The table of STS operations: the one that asks who the caller is."""

from __future__ import annotations

from chappe.api.operations import Operation, named_after_inputs
from chappe.broker.identity import get_caller_identity
from chappe.broker.shapes import GetCallerIdentityInput

SERVICE = "sts"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


def sts_operations() -> dict[str, Operation]:
    """The operations by name."""
    return {
        operation.name: operation
        for operation in named_after_inputs(SERVICE, [(GetCallerIdentityInput, get_caller_identity)])
    }

"""Who am I? STS GetCallerIdentity, which many users of the SDKs call first.

Source: AWS Security Token Service API Reference, GetCallerIdentity. Chappe has access keys, not users: the key's id
stands where AWS has the user's.
"""

from __future__ import annotations

from chappe.broker.directory import Call
from chappe.broker.shapes import GetCallerIdentityInput, GetCallerIdentityOutput


async def get_caller_identity(call: Call, request: GetCallerIdentityInput) -> GetCallerIdentityOutput:
    caller = call.principal
    return GetCallerIdentityOutput(
        arn=f"arn:aws:iam::{caller.account}:user/{caller.access_key_id}",
        user_id=caller.access_key_id,
        account=caller.account,
    )

"""AddPermission and RemovePermission: statements of the queue's policy, by label."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chappe.broker.changes import Changes
from chappe.broker.directory import Call, FoundQueue
from chappe.broker.errors import MissingParameter, OverLimit, invalid_value
from chappe.broker.policies import ACTIONS_MAX, GRANTABLE, OWNERS, add_statement, remove_statement, unknown_action
from chappe.broker.shapes import AddPermissionInput, RemovePermissionInput

_LABEL = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)


class Permissions:
    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def add_permission(self, call: Call, request: AddPermissionInput) -> None:
        async with self._changes.to(call, request.queue_url) as queue:
            label = _checked_label(request.label)
            accounts = _checked_accounts(request.aws_account_ids or ())
            actions = _checked_actions(request.actions or ())
            policy = queue.settings.attributes.get("Policy")
            await self._store(queue, add_statement(policy, queue.name.arn, label, accounts, actions))

    async def remove_permission(self, call: Call, request: RemovePermissionInput) -> None:
        async with self._changes.to(call, request.queue_url) as queue:
            label = _checked_label(request.label)
            await self._store(queue, remove_statement(queue.settings.attributes.get("Policy"), label))

    async def _store(self, queue: FoundQueue, policy: str) -> None:
        others = {name: value for name, value in queue.settings.attributes.items() if name != "Policy"}
        await self._changes.store(queue, {**others, "Policy": policy} if policy else others)


def _checked_label(label: str | None) -> str:
    if label is None:
        raise MissingParameter.named("Label")
    if not _LABEL.fullmatch(label):
        reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length."
        raise invalid_value("Label", label, reason)
    return label


def _checked_accounts(accounts: Sequence[str]) -> Sequence[str]:
    if not accounts:
        raise invalid_value("PrincipalId", "[]", "Unable to verify.")
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            raise invalid_value("PrincipalId", account, "Unable to verify principal.")
    return accounts


def _checked_actions(actions: Sequence[str]) -> Sequence[str]:
    if not actions:
        raise MissingParameter.named("Actions")
    if len(actions) > ACTIONS_MAX:
        raise OverLimit(f"{len(actions)} Actions were found, maximum allowed is {ACTIONS_MAX}.")
    for action in actions:
        if action in OWNERS:
            reason = "Only the queue owner is allowed to invoke this action."
            raise invalid_value("ActionName", f"SQS:{action}", reason)
        if action not in GRANTABLE:
            raise unknown_action(f"SQS:{action}")
    return actions

"""Rule sets as sequences of rules: made from one another by changes, and compared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from chappe.compliance.kinds import AnyRule
from chappe.model.errors import InvalidInput


class ChangeKind(StrEnum):
    """What became of a rule."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class FieldChange(msgspec.Struct, frozen=True):
    """One field that differs, by its path (`parameters.start`). None where it is absent."""

    field: str
    before: Any
    after: Any


class RuleChange(msgspec.Struct, frozen=True):
    """One rule that differs. `fields` are told of a rule that is in both sets."""

    id: str
    kind: ChangeKind
    summary: str
    fields: tuple[FieldChange, ...] = ()


def changed(base: Sequence[AnyRule], given: Sequence[AnyRule], remove: Collection[str] = ()) -> tuple[AnyRule, ...]:
    """The base with the given rules in place of those with the same id, or added at the end, and without others.

    Raises `InvalidInput` for a rule to be removed that is not in the base, or that is given at the same time.
    """
    present, new = {rule.id for rule in base}, {rule.id: rule for rule in given}
    for rule_id in remove:
        if rule_id not in present:
            raise InvalidInput(f"there is no rule {rule_id!r} to remove in the base version", rule=rule_id)
        if rule_id in new:
            raise InvalidInput(f"the rule {rule_id!r} is given and to be removed at once", rule=rule_id)
    kept = [new.pop(rule.id, rule) for rule in base if rule.id not in remove]
    return (*kept, *new.values())


def difference(before: Sequence[AnyRule], after: Sequence[AnyRule]) -> list[RuleChange]:
    """What has to be changed to come from one set to the other, by rule id. The order of rules is no difference."""
    old, new = ({rule.id: rule for rule in rules} for rules in (before, after))
    return [
        _change(rule_id, old.get(rule_id), new.get(rule_id))
        for rule_id in sorted(old.keys() | new.keys())
        if old.get(rule_id) != new.get(rule_id)
    ]


def _change(rule_id: str, before: AnyRule | None, after: AnyRule | None) -> RuleChange:
    if before is None:
        assert after is not None
        return RuleChange(rule_id, ChangeKind.ADDED, after.summary)
    if after is None:
        return RuleChange(rule_id, ChangeKind.REMOVED, before.summary)
    fields = _fields(msgspec.to_builtins(before), msgspec.to_builtins(after))
    return RuleChange(rule_id, ChangeKind.CHANGED, after.summary, tuple(fields))


def _fields(before: dict[str, Any], after: dict[str, Any], path: str = "") -> Iterator[FieldChange]:
    for name in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _fields(old, new, f"{path}{name}.")
        elif old != new:
            yield FieldChange(f"{path}{name}", old, new)

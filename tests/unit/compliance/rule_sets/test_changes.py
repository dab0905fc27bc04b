from __future__ import annotations

import msgspec
import pytest
from tests.unit.compliance.conftest import Build

from chappe.compliance.rule_sets.changes import ChangeKind, changed, difference
from chappe.compliance.rule_sets.rule_set import load_rule_set
from chappe.model.errors import InvalidInput


def test_a_rule_takes_the_place_of_the_one_with_its_id_and_others_are_added(rule: Build) -> None:
    base = (rule("suppression", id="a"), rule("suppression", id="b"), rule("suppression", id="c"))
    stricter = rule("suppression", id="b", summary="Stricter.")
    new = rule("suppression", id="d")
    assert changed(base, [new, stricter], ["c"]) == (base[0], stricter, new)
    assert changed(base, []) == base


def test_what_cannot_be_removed_is_refused(rule: Build) -> None:
    base = (rule("suppression", id="a"),)
    with pytest.raises(InvalidInput, match="no rule 'x' to remove"):
        changed(base, [], ["x"])
    with pytest.raises(InvalidInput, match="given and to be removed"):
        changed(base, [rule("suppression", id="a")], ["a"])


def test_a_difference_names_rules_and_fields(rule: Build) -> None:
    night = rule("quiet_hours", {"start": "08:00", "end": "21:00"}, id="night")
    earlier = rule("quiet_hours", {"start": "08:00", "end": "20:00"}, id="night", severity="high")
    gone, new = rule("suppression", id="gone"), rule("suppression", id="new")
    found = difference([night, gone], [new, earlier])
    assert [(change.id, change.kind) for change in found] == [
        ("gone", ChangeKind.REMOVED),
        ("new", ChangeKind.ADDED),
        ("night", ChangeKind.CHANGED),
    ]
    assert {field.field: (field.before, field.after) for field in found[2].fields} == {
        "parameters.end": ("21:00", "20:00"),
        "severity": ("low", "high"),
    }


def test_the_order_of_rules_is_no_difference(rule: Build) -> None:
    a, b = rule("suppression", id="a"), rule("suppression", id="b")
    assert difference([a, b], [b, a]) == []


def test_the_difference_between_two_sets_leads_from_one_to_the_other(rule: Build) -> None:
    shipped = load_rule_set().rules
    other = (*shipped[3:], msgspec.structs.replace(shipped[0], summary="Otherwise."), rule("suppression", id="new"))
    found = difference(shipped, other)
    after = {rule.id: rule for rule in other}
    given = [after[change.id] for change in found if change.kind is not ChangeKind.REMOVED]
    removed = [change.id for change in found if change.kind is ChangeKind.REMOVED]
    assert difference(changed(shipped, given, removed), other) == []

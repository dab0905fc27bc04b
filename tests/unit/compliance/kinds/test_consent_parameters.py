"""Every parameter of the rules about consent, opt-outs and ages decides something: without it, an example of the rule
comes out otherwise. What only informs is told apart, and is documented as such where it is defined.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chappe.compliance.kinds import AgeRule, AnyRule, ConsentRule, DoubleOptInRule, KeywordRule, OptOutRule, PurposeRule
from chappe.compliance.rule_files.loading import packaged_rule_files, read_rules
from chappe.compliance.rule_sets.trying import try_example

KINDS = (ConsentRule, DoubleOptInRule, OptOutRule, KeywordRule, AgeRule, PurposeRule)
RULES = [rule for rule in read_rules(packaged_rule_files()) if isinstance(rule, KINDS)]
INFORMING = {"informs", "counted_from"}
TRACKED = {"deadline", "unit", "keep_for"}
"""Decide by when a request has to be met and for how long it is kept; messages are stopped at once and for good."""
CHECKED = {"floor"}
"""Bounds other parameters when the rule is read."""


def instead_of(rule: AnyRule, field: Any) -> Any:
    """What to put in place of a parameter: the value it has if it is left out, or another where that says nothing."""
    parameters: Any = rule.parameters
    if field.name == "level" and parameters.level is not None:
        return "express" if parameters.level == "implied" else "implied"
    if field.name == "keywords":
        # The words are for whoever reads answers where other wording counts as well, or where they stop nothing.
        return parameters.keywords if parameters.free_text or parameters.intent == "help" else ("OTHER",)
    if field.name == "min_age":
        return 1
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def cases() -> list[Any]:
    found = []
    for rule in RULES:
        for field in msgspec.structs.fields(rule.parameters):
            usual = instead_of(rule, field)
            value = getattr(rule.parameters, field.name)
            if field.name in INFORMING | TRACKED | CHECKED or value in (usual, field.default):
                continue
            found.append(pytest.param(rule, field.name, usual, id=f"{rule.id}-{field.name}"))
    return found


@pytest.mark.parametrize(("rule", "name", "usual"), cases())
def test_without_a_parameter_an_example_comes_out_otherwise(rule: AnyRule, name: str, usual: Any) -> None:
    written = msgspec.to_builtins(rule)
    written["parameters"][name] = msgspec.to_builtins(usual)
    try:
        changed = msgspec.convert(written, AnyRule)
    except msgspec.ValidationError:
        return  # the rule makes no sense without it
    before = [try_example(rule, example) for example in rule.examples]
    after = [try_example(changed, example) for example in rule.examples]
    assert any(
        (one.found, one.decision.amendments) != (other.found, other.decision.amendments)
        for one, other in zip(before, after, strict=True)
    ), f"{name} of {rule.id} changes none of its examples"

"""Everything that is wrong with one entry of a rule file, field by field.

msgspec stops at the first fault of a document. Somebody who writes rules wants all of them, so an entry that is refused
is taken apart and each field is converted by itself.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from chappe.compliance.rule.conditions import check_condition

Fault = tuple[str, str]
"""The path of the field within the rule ("" for the rule), and what is wrong with it."""


def faults_of(entry: object, rule_types: Any) -> list[Fault]:
    """The faults of an entry that is no rule of any of these types (a union, told apart by `kind`)."""
    found = [*_by_field(entry, rule_types), *_of_condition(entry)]
    return found or list(_of_whole(entry, rule_types, ""))


def _by_field(entry: object, rule_types: Any) -> Iterator[Fault]:
    kinds = {kind.__struct_config__.tag: kind for kind in get_args(rule_types)}
    if not isinstance(entry, dict):
        return
    kind = entry.get("kind")
    if isinstance(kind, str) and kind in kinds:
        yield from _of_struct(entry, kinds[kind], "")
        return
    known = ", ".join(sorted(map(str, kinds)))
    wrong = "is missing" if kind is None else f"{kind!r} is not a kind of rule"
    yield "kind", f"{wrong}; there are: {known}"


def _of_condition(entry: object) -> Iterator[Fault]:
    """A condition is compiled only in a rule that is sound otherwise, so here it is once more."""
    if isinstance(entry, dict) and isinstance(entry.get("condition"), str):
        try:
            check_condition(entry["condition"])
        except ValueError as error:
            yield "condition", str(error)


def _of_struct(value: dict[Any, Any], struct: type[msgspec.Struct], path: str) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    if struct.__struct_config__.forbid_unknown_fields:
        for name in value.keys() - fields.keys() - {struct.__struct_config__.tag_field}:
            known = ", ".join(sorted(fields))
            yield _joined(path, str(name)), f"is an unknown field; there are: {known}"
    for name, field in fields.items():
        if name in value:
            yield from _of_value(value[name], field.type, _joined(path, name))
        elif field.required:
            yield _joined(path, name), "is missing"


def _of_value(value: object, kind: Any, path: str) -> Iterator[Fault]:
    """The faults of the parts, and only where these have none, that of the whole."""
    inner = _without_frills(kind)
    found: list[Fault] = []
    if isinstance(value, dict) and isinstance(inner, type) and issubclass(inner, msgspec.Struct):
        found = list(_of_struct(value, inner, path))
    elif isinstance(value, list) and get_origin(inner) is tuple:
        entries = get_args(inner)[0]
        found = [fault for i, part in enumerate(value) for fault in _of_value(part, entries, f"{path}[{i}]")]
    yield from found or _of_whole(value, kind, path)


def _of_whole(value: object, kind: Any, path: str) -> Iterator[Fault]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        field, text = _field_and_text(str(error))
        if not field and (choices := _choices(_without_frills(kind))) and text.startswith("Invalid"):
            text = f"{text}; there are: {', '.join(choices)}"
        yield _joined(path, field), text


def _choices(kind: Any) -> list[str]:
    """What a value may be, if that is one of a few texts."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return [member.value for member in kind]
    return [str(choice) for choice in get_args(kind)] if get_origin(kind) is Literal else []


def _without_frills(kind: Any) -> Any:
    """The type inside `Annotated` and `| None`."""
    if get_origin(kind) is Annotated:
        return _without_frills(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        others = [option for option in get_args(kind) if option is not type(None)]
        return _without_frills(others[0]) if len(others) == 1 else kind
    return kind


def _joined(path: str, field: str) -> str:
    return path + field if not path or field.startswith("[") or not field else f"{path}.{field}"


_AT = re.compile(r"^(?P<text>.*) - at `\$\.?(?P<field>[^`]*)`$", re.DOTALL)
_NAMED = re.compile(r"^(?P<field>[a-z_.]+): (?P<text>.*)$", re.DOTALL)
_MISSING = re.compile(r"^Object (missing required|contains unknown) field `(?P<field>[^`]+)`$")


def _field_and_text(message: str) -> Fault:
    """The path of the field within what was converted, and what is wrong with it."""
    at = _AT.match(message)
    path, text = (at["field"], at["text"]) if at else ("", message)
    if named := _NAMED.match(text):
        path, text = _joined(path, named["field"]), named["text"]
    elif missing := _MISSING.match(text):
        path = _joined(path, missing["field"])
    return path, text

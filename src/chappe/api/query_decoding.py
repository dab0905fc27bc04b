"""Inputs out of the flat parameters of the Query protocol.

`Attribute.1.Name=DelaySeconds&Attribute.1.Value=5` is the map `{"DelaySeconds": "5"}`. Items are taken in the order
of their numbers, which need not be consecutive; a single item may go without a number, as in AWS's own examples.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import msgspec

from chappe.api.aws_errors import MalformedRequest
from chappe.api.query_names import QueryMember, members_of
from chappe.broker.shapes import Shape

DEPTH_MAX = 8
"""The deepest name there is: `SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringListValue.1`."""
_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,10}", re.ASCII)
_INT32 = range(-(2**31), 2**31)

S = TypeVar("S", bound=Shape)
Tree = dict[str, Any]
"""Parameters by the parts of their names: a value is text or another tree."""


def decode(parameters: Mapping[str, str], shape: type[S]) -> S:
    """The input in these parameters; those the shape does not have are ignored. Raises `MalformedRequest`."""
    return cast("S", _structure(_tree(parameters, {member.name for member in members_of(shape)}), shape))


def _tree(parameters: Mapping[str, str], known: set[str]) -> Tree:
    tree: Tree = {}
    for name, value in parameters.items():
        head, *rest = name.split(".", DEPTH_MAX)
        if head not in known:
            continue
        if len(rest) == DEPTH_MAX:
            raise MalformedRequest(f"The parameter {name} is nested too deeply.")
        branch = tree
        for part in (head, *rest)[:-1]:
            branch = branch.setdefault(part, {})
            if not isinstance(branch, dict):
                raise _both(name)
        last = rest[-1] if rest else head
        if isinstance(branch.get(last), dict):
            raise _both(name)
        branch[last] = value
    return tree


def _structure(tree: Tree, shape: type[msgspec.Struct]) -> msgspec.Struct:
    given = {}
    for member in members_of(shape):
        node = tree.get(member.name)
        if node is not None:
            given[member.field] = _value(node, member)
    return shape(**given)


def _value(node: str | Tree, member: QueryMember) -> object:
    if member.kind is list:
        return [_converted(item, member.item, member.name) for item in _items(node, member.name)]
    if member.kind is dict:
        return dict(_entry(item, member) for item in _items(node, member.name))
    return _converted(node, member.kind, member.name)


def _items(node: str | Tree, name: str) -> list[str | Tree]:
    if isinstance(node, str):
        return [node]
    numbered = sum(1 for key in node if _NUMBER.fullmatch(key))
    if numbered == 0:
        return [node]
    if numbered < len(node):
        raise MalformedRequest(f"The items of {name} must be numbered, such as {name}.1.")
    return [node[key] for key in sorted(node, key=int)]


def _entry(node: str | Tree, member: QueryMember) -> tuple[str, object]:
    key = node.get(member.key_name) if isinstance(node, dict) else None
    if not isinstance(node, dict) or not isinstance(key, str):
        raise MalformedRequest(f"An entry of {member.name} has no {member.key_name}.")
    absent: str | Tree = "" if member.item is str else {}
    return key, _converted(node.get(member.value_name, absent), member.item, f"{member.name}.{member.value_name}")


def _converted(node: str | Tree, kind: Any, name: str) -> object:
    if isinstance(node, dict):
        if issubclass(kind, msgspec.Struct):
            return _structure(node, kind)
        raise MalformedRequest(f"The parameter {name} has members, a value was expected.")
    if kind is str:
        return node
    if kind is int:
        return _integer(node, name)
    if kind is bytes:
        return _blob(node, name)
    raise MalformedRequest(f"The parameter {name} has a value, members were expected.")


def _integer(text: str, name: str) -> int:
    if _INTEGER.fullmatch(text) and int(text) in _INT32:
        return int(text)
    raise MalformedRequest(f"STRING_VALUE can not be converted to an Integer (at {name})")


def _blob(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedRequest(f"The value is not valid Base64 (at {name})") from error


def _both(name: str) -> MalformedRequest:
    return MalformedRequest(f"The parameter {name} has both a value and members.")

"""How the Query protocol names what is in the shapes: the one place with rules of its own.

Source: the older (Query) service model of `sqs`, version 2012-11-05. Structures and scalars keep their names. Lists and
maps are flattened, and each of their items is named in the singular, as told here. An item that is a structure goes by
the name of its shape, such as `SendMessageBatchRequestEntry`.
"""

from __future__ import annotations

import types
import typing
from functools import cache
from typing import Any, get_args, get_origin

import msgspec

LIST_ITEMS = {
    "AWSAccountIds": "AWSAccountId",
    "Actions": "ActionName",
    "AttributeNames": "AttributeName",
    "BinaryListValues": "BinaryListValue",
    "MessageAttributeNames": "MessageAttributeName",
    "MessageSystemAttributeNames": "MessageSystemAttributeName",
    "QueueUrls": "QueueUrl",
    "StringListValues": "StringListValue",
    "TagKeys": "TagKey",
    "queueUrls": "QueueUrl",
}
MAP_ENTRIES = {
    "Attributes": ("Attribute", "Name", "Value"),
    "MessageAttributes": ("MessageAttribute", "Name", "Value"),
    "MessageSystemAttributes": ("MessageSystemAttribute", "Name", "Value"),
    "Tags": ("Tag", "Key", "Value"),
    "tags": ("Tag", "Key", "Value"),
}
"""Each entry's own name, and those of its key and its value."""


class QueryMember(msgspec.Struct, frozen=True):
    """A member of a shape. `kind` is its type without None, `item` that of a list's items or a map's values.

    `name` is what it is called in the protocol; `key_name` and `value_name` are set for a map.
    """

    field: str
    name: str
    kind: Any
    item: Any = None
    key_name: str = ""
    value_name: str = ""


@cache
def members_of(shape: type[msgspec.Struct]) -> tuple[QueryMember, ...]:
    """The members of a shape in the order of its definition."""
    return tuple(
        _member(field.name, field.encode_name, _without_none(field.type)) for field in msgspec.structs.fields(shape)
    )


def _member(field: str, wire_name: str, kind: Any) -> QueryMember:
    origin = get_origin(kind)
    if origin is list:
        item = get_args(kind)[0]
        name = item.__name__ if issubclass(item, msgspec.Struct) else LIST_ITEMS[wire_name]
        return QueryMember(field, name, list, item)
    if origin is dict:
        name, key_name, value_name = MAP_ENTRIES[wire_name]
        return QueryMember(field, name, dict, get_args(kind)[1], key_name, value_name)
    return QueryMember(field, wire_name, kind)


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (typing.Union, types.UnionType):
        (kind,) = (each for each in get_args(kind) if each is not type(None))
    return kind

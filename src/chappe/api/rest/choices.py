"""What a field of a document may be, for the message of an error: told by the place, from the document's own type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import inspect


def choices_at(document: Any, pointer: str) -> list[str]:
    """The names that may stand at a JSON pointer in a document of this type; none where that is not a choice."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    found = {name: None for type_ in _types_at(inspect.type_info(document), steps) for name in _names(type_)}
    return list(found)


def _types_at(type_: inspect.Type, steps: Sequence[str]) -> Iterator[inspect.Type]:
    if isinstance(type_, inspect.Metadata):
        yield from _types_at(type_.type, steps)
    elif isinstance(type_, inspect.UnionType):
        for member in type_.types:
            yield from _types_at(member, steps)
    elif isinstance(type_, inspect.CollectionType):
        # The place of an entry in a list is left out where the list was read as a set.
        yield from _types_at(type_.item_type, steps[1:] if steps and steps[0].isdigit() else steps)
    elif not steps:
        yield type_
    elif isinstance(type_, inspect.StructType):
        for field in type_.fields:
            if field.encode_name == steps[0]:
                yield from _types_at(field.type, steps[1:])


def _names(type_: inspect.Type) -> Iterator[str]:
    if isinstance(type_, inspect.EnumType):
        yield from (str(msgspec.to_builtins(member)) for member in type_.cls)
    elif isinstance(type_, inspect.LiteralType):
        yield from (str(value) for value in type_.values if value is not None)

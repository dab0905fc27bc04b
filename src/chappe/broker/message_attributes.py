"""Message attributes: what they may be, their size, their MD5, and which of them a receiver asked for.

Source: Amazon SQS Developer Guide, "Message metadata" (rules and the MD5 calculation). In memory and in
storage an attribute is a pair `(data type, value)`, where the value is text, or bytes for Binary.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from chappe.broker.characters import ALLOWED_SET, forbidden_character
from chappe.broker.errors import InvalidMessageContents, InvalidParameterValue
from chappe.broker.shapes import MessageAttributes, MessageAttributeValue

Typed = tuple[str, str | bytes]
TypedAttributes = dict[str, Typed]

COUNT_MAX = 10
NAME_MAX_BYTES = 256
TYPE_MAX_BYTES = 256
TRACE_HEADER = "AWSTraceHeader"
EVERYTHING = frozenset({"All", ".*", "*"})
"""What a receiver may say to ask for all attributes; the last is not documented, and the real service takes it."""

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,9})?", re.ASCII)


def check_message_attributes(given: MessageAttributes) -> TypedAttributes:
    """The attributes in their stored form. Raises `InvalidParameterValue` or `InvalidMessageContents`."""
    if len(given) > COUNT_MAX:
        raise InvalidParameterValue(
            f"Number of message attributes [{len(given)}] exceeds the allowed maximum [{COUNT_MAX}]."
        )
    checked = {}
    for name, value in given.items():
        _check_name(name)
        checked[name] = _typed(name, value, "message (user) attribute")
    return checked


def check_trace_header(given: MessageAttributes) -> str | None:
    """The X-Ray trace header among the system attributes, the only one a sender may set."""
    for name in given:
        if name != TRACE_HEADER:
            raise InvalidParameterValue(f"Message system attribute name '{name[:256]}' is invalid.")
    value = given.get(TRACE_HEADER)
    if value is None:
        return None
    data_type, text = _typed(TRACE_HEADER, value, "message system attribute")
    if data_type != "String" or not isinstance(text, str):
        raise InvalidParameterValue(f"The type of message system attribute '{TRACE_HEADER}' must be String.")
    return text


def size_bytes(attributes: TypedAttributes) -> int:
    """How much attributes count towards the size of a message: names, types and values."""
    return sum(
        len(name.encode()) + len(data_type.encode()) + len(value.encode() if isinstance(value, str) else value)
        for name, (data_type, value) in attributes.items()
    )


def stated_size_bytes(given: MessageAttributes) -> int:
    """The same for attributes that were not checked yet."""
    return sum(
        len(name.encode())
        + len((value.data_type or "").encode())
        + len((value.string_value or "").encode())
        + len(value.binary_value or b"")
        for name, value in given.items()
    )


def md5_of_attributes(attributes: Mapping[str, Typed]) -> str:
    """The MD5 that SDKs check: by name, the length and bytes of name, type and value, with a kind byte."""
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        data_type, value = attributes[name]
        for text in (name, data_type):
            encoded = text.encode()
            digest.update(len(encoded).to_bytes(4, "big") + encoded)
        encoded = value.encode() if isinstance(value, str) else value
        kind = b"\x01" if isinstance(value, str) else b"\x02"
        digest.update(kind + len(encoded).to_bytes(4, "big") + encoded)
    return digest.hexdigest()


def md5_of_trace_header(text: str) -> str:
    return md5_of_attributes({TRACE_HEADER: ("String", text)})


def chosen(attributes: TypedAttributes, names: Sequence[str]) -> TypedAttributes:
    """The attributes a receiver asked for: by name, by prefix, or all of them with `All`, `.*` or `*`.

    `Hel.*` asks for what begins with `Hel`, as a pattern would; `Hel*` does too.
    """
    if not EVERYTHING.isdisjoint(names):
        return attributes
    exact = set(names)
    prefixes = tuple(_prefix(name) for name in names if name.endswith("*"))
    return {
        name: value for name, value in attributes.items() if name in exact or (prefixes and name.startswith(prefixes))
    }


def names_anything(names: Iterable[str]) -> bool:
    """Whether any of the names asked for could name an attribute; the others are ignored."""
    return any(name in EVERYTHING or _plausible(_prefix(name)) for name in names)


def to_shapes(attributes: TypedAttributes) -> MessageAttributes:
    return {
        name: MessageAttributeValue(data_type=data_type, string_value=value)
        if isinstance(value, str)
        else MessageAttributeValue(data_type=data_type, binary_value=value)
        for name, (data_type, value) in attributes.items()
    }


def _prefix(name: str) -> str:
    return name.removesuffix("*").removesuffix(".") if name.endswith("*") else name


def _plausible(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and not (
        name.lower().startswith(("aws.", "amazon.")) or name.startswith(".") or name.endswith(".") or ".." in name
    )


def _check_name(name: str) -> None:
    if not name:
        raise InvalidParameterValue("The request must contain non-empty message (user) attribute names.")
    if len(name.encode()) > NAME_MAX_BYTES:
        raise InvalidParameterValue(f"Message (user) attribute name must be shorter than {NAME_MAX_BYTES} bytes.")
    if name.lower().startswith(("aws.", "amazon.")):
        raise InvalidParameterValue(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon'. "
            "These strings are reserved for internal use."
        )
    if not _NAME.fullmatch(name):
        raise InvalidParameterValue(
            f"Message (user) attribute name '{name}' is invalid. It can only contain alphanumeric characters, "
            "hyphens, underscores and periods."
        )
    if not _plausible(name):
        raise InvalidParameterValue(
            f"Message (user) attribute name '{name}' is invalid. It must not start or end with a period, "
            "nor contain two in a row."
        )


def _typed(name: str, value: MessageAttributeValue, what: str) -> Typed:
    if value.string_list_values or value.binary_list_values:
        raise InvalidParameterValue("Message attribute list values in SendMessage operation are not supported.")
    data_type = value.data_type
    if data_type is None and value.string_value is None and value.binary_value is None:
        raise InvalidParameterValue(f"The {what} '{name}' must contain a non-empty message attribute value.")
    if not data_type:
        raise InvalidParameterValue(f"The {what} '{name}' must contain a non-empty message attribute type.")
    if len(data_type.encode()) > TYPE_MAX_BYTES:
        raise InvalidParameterValue(f"{_capital(what)} type must be shorter than {TYPE_MAX_BYTES} bytes.")
    kind = data_type.partition(".")[0]
    if kind not in ("String", "Number", "Binary"):
        raise InvalidParameterValue(
            f"The type of {what} '{name}' is invalid. "
            "You must use only the following supported type prefixes: Binary, Number, String."
        )
    found = value.binary_value if kind == "Binary" else value.string_value
    if not found:
        raise InvalidParameterValue(f"{_capital(what)} '{name}' must contain a non-empty value of type '{kind}'.")
    if kind == "Number" and not _NUMBER.fullmatch(str(found)):
        raise InvalidParameterValue(f"Can't cast the value of {what} '{name}' to a number.")
    for text in (data_type, found):
        bad = forbidden_character(text.encode()) if isinstance(text, str) else None
        if bad:
            raise InvalidMessageContents(
                f"Invalid binary character '{bad}' was found in {what} '{name}', "
                f"the set of allowed characters is {ALLOWED_SET}"
            )
    return data_type, found


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]

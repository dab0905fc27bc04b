"""Request bodies of the AWS JSON protocol that do not fit their operation's input, looked at the patient way.

AWS takes more than the model says (a number or a boolean where text is expected) and has a sentence of its own for
each thing it does not take.
"""

from __future__ import annotations

import base64
import binascii
import types
import typing
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from chappe.api.aws_errors import MalformedRequest
from chappe.broker.shapes import Shape

_INT32 = range(-(2**31), 2**31)

S = TypeVar("S", bound=Shape)


def decode_patiently(body: bytes, shape: type[S]) -> S:
    """The input in a body that the shape's decoder refused. Raises `MalformedRequest` saying what and where."""
    value = _parse(body)
    if not isinstance(value, dict):
        raise MalformedRequest(
            "Start of list found where not expected"
            if isinstance(value, list)
            else "Unexpected token: expected an object"
        )
    return typing.cast("S", _structure(value, shape, ""))


def _parse(body: bytes) -> object:
    try:
        return msgspec.json.decode(body) if body else {}
    except RecursionError as error:
        raise MalformedRequest("The request body is nested too deeply.") from error
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"The request body is not valid UTF-8: {error.reason}.") from error
    except msgspec.ValidationError as error:
        raise MalformedRequest(f"A number in the request body is out of range: {error}.") from error
    except msgspec.DecodeError as error:
        raise MalformedRequest(f"The request body is not valid JSON: {error}.") from error


@cache
def _members(shape: type[msgspec.Struct]) -> dict[str, tuple[str, Any]]:
    """By wire name: the field's name and its type without None."""
    return {field.encode_name: (field.name, _without_none(field.type)) for field in msgspec.structs.fields(shape)}


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (typing.Union, types.UnionType):
        kinds = [arg for arg in get_args(kind) if arg is not type(None)]
        if len(kinds) == 1:
            return kinds[0]
    return kind


def _structure(value: dict[str, object], shape: type[msgspec.Struct], where: str) -> msgspec.Struct:
    members = _members(shape)
    given = {}
    for name, item in value.items():
        member = members.get(name)
        if member is not None and item is not None:
            given[member[0]] = _convert(item, member[1], f"{where}.{name}" if where else name)
    return shape(**given)


def _convert(value: object, kind: Any, where: str) -> object:
    if kind is str:
        return _text(value, where)
    if kind is int:
        return _integer(value, where)
    if kind is bytes:
        return _blob(value, where)
    if get_origin(kind) is list:
        if not isinstance(value, list):
            raise _unexpected(value, where)
        item_kind = get_args(kind)[0]
        return [_convert(item, item_kind, f"{where}[{i}]") for i, item in enumerate(value) if item is not None]
    if not isinstance(value, dict):
        raise _unexpected(value, where)
    if get_origin(kind) is dict:
        item_kind = get_args(kind)[1]
        return {
            name: _convert(item, item_kind, f"{where}.{name[:80]}") for name, item in value.items() if item is not None
        }
    return _structure(value, kind, where)


def _text(value: object, where: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        raise _unexpected(value, where)
    if isinstance(value, list):
        raise MalformedRequest(f"Unrecognized collection type class java.lang.String (at {where})")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _integer(value: object, where: str) -> int:
    if isinstance(value, bool):
        raise MalformedRequest(f"{str(value).upper()}_VALUE can not be converted to an Integer (at {where})")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and value in _INT32:
        return value
    if isinstance(value, int | float):
        raise MalformedRequest(f"NUMBER_VALUE can not be converted to an Integer (at {where})")
    if isinstance(value, str):
        raise MalformedRequest(f"STRING_VALUE can not be converted to an Integer (at {where})")
    raise _unexpected(value, where)


def _blob(value: object, where: str) -> bytes:
    if not isinstance(value, str):
        raise _unexpected(value, where)
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedRequest(f"The value is not valid Base64 (at {where})") from error


def _unexpected(value: object, where: str) -> MalformedRequest:
    if isinstance(value, dict):
        return MalformedRequest(f"Start of structure or map found where not expected. (at {where})")
    if isinstance(value, list):
        return MalformedRequest(f"Start of list found where not expected (at {where})")
    kind = "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
    if isinstance(value, bool):
        kind = f"{str(value).upper()}_VALUE"
    return MalformedRequest(f"Unexpected value type in payload: {kind} (at {where})")

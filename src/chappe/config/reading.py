"""From tables of values to the settings' classes; errors name the place, the key and what is allowed."""

from __future__ import annotations

import difflib
import os
import re
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec

from chappe.channels.settings import PROVIDER_KINDS, ProviderSettings, Secret
from chappe.compliance.sender.profile import SenderProfile
from chappe.config.given import Given, Origin
from chappe.model.errors import InvalidConfiguration
from chappe.model.unreadable import why_unreadable

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_FILE_SUFFIX = "_file"
_ENVIRONMENT_PREFIX = "env:"
_PLAIN_NAMES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}

S = TypeVar("S", bound=msgspec.Struct)


def secret_file_names(cls: type[msgspec.Struct]) -> set[str]:
    """The names under which the secrets of `cls` may be given as files: `password_file` for `password`."""
    return {
        f"{field.name}{_FILE_SUFFIX}"
        for field in msgspec.structs.fields(cls)
        if Secret in _parts(field.type) and not _is_list(field.type)
    }


class Reader:
    """Reads values of `origin`, and `Given`s from elsewhere among them. Raises `InvalidConfiguration`."""

    def __init__(self, origin: Origin, environ: Mapping[str, str] = os.environ) -> None:
        self._origin = origin
        self._environ = environ

    def struct(self, cls: type[S], table: object, key: str = "") -> S:
        """An instance of `cls` from the table at `key`."""
        if not isinstance(table, Mapping):
            self._fail(table, key, "must be a table")
        fields = {field.name: field for field in msgspec.structs.fields(cls)}
        secret_files = secret_file_names(cls)
        values: dict[str, Any] = {}
        for name, value in table.items():
            at = f"{key}.{name}" if key else name
            if name in fields:
                values[name] = self._value(fields[name].type, value, at)
            elif name in secret_files:
                plain = name.removesuffix(_FILE_SUFFIX)
                if plain in table:
                    self._fail(value, at, f"is given besides {plain}; one of the two is enough")
                values[plain] = self._secret_of_file(value, at)
            else:
                self._unknown(value, at, name, [*fields, *secret_files])
        for name, field in fields.items():
            if field.required and name not in values:
                self._fail(table, f"{key}.{name}" if key else name, "is missing")
        try:
            return cls(**values)
        except ValueError as error:
            place, colon, reason = str(error).partition(": ")
            if not colon:
                self._fail(table, key, str(error))
            self._fail(_descend(table, place), f"{key}.{place}" if key else place, reason)

    def _value(self, wanted: Any, value: object, key: str) -> Any:
        if wanted == dict[str, ProviderSettings]:
            return self._providers(value, key)
        if wanted == dict[str, SenderProfile]:
            return self._named(SenderProfile, "sender", value, key)
        named = _struct_by_name(wanted)
        if named is not None:
            return self._named(named, "region", value, key)
        struct, is_list = _struct_within(wanted)
        if struct is None:
            return self._convert(wanted, value, key)
        if not is_list:
            return self.struct(struct, value, key)
        entries = self._json(value, key) if isinstance(value, Given) else value
        if not isinstance(entries, list | tuple):
            self._fail(value, key, "must be a list of tables")
        reader = Reader(value.origin, self._environ) if isinstance(value, Given) else self
        return tuple(reader.struct(struct, entry, f"{key}[{n}]") for n, entry in enumerate(entries))

    def _providers(self, table: object, key: str) -> dict[str, ProviderSettings]:
        if not isinstance(table, Mapping):
            self._fail(table, key, "must be a table of providers, as in [providers.mail]")
        return {name: self._provider(entry, name, f"{key}.{name}") for name, entry in table.items()}

    def _provider(self, table: object, name: str, key: str) -> ProviderSettings:
        if not isinstance(table, Mapping):
            self._fail(table, key, "must be a table, as in [providers.mail]")
        if not _NAME.fullmatch(name):
            self._fail(table, key, "a provider's name has 1 to 63 of the characters a-z, 0-9 and -")
        kinds = ", ".join(f'"{kind}"' for kind in PROVIDER_KINDS)
        given = table.get("kind")
        kind = given.value if isinstance(given, Given) else given
        if kind is None:
            self._fail(table, f"{key}.kind", f"is missing; allowed: {kinds}")
        if kind not in PROVIDER_KINDS:
            self._fail(given, f"{key}.kind", f"{kind!r} is no kind of provider; allowed: {kinds}")
        rest = {setting: value for setting, value in table.items() if setting != "kind"}
        return self.struct(PROVIDER_KINDS[kind], rest, key)

    def _named(self, cls: type[S], what: str, table: object, key: str) -> dict[str, S]:
        if not isinstance(table, Mapping):
            self._fail(table, key, f"must be a table of {what}s, as in [{what}s.NAME]")
        for name, entry in table.items():
            if not _NAME.fullmatch(name):
                self._fail(entry, f"{key}.{name}", f"a {what}'s name has 1 to 63 of the characters a-z, 0-9 and -")
        return {name: self.struct(cls, entry, f"{key}.{name}") for name, entry in table.items()}

    def _convert(self, wanted: Any, value: object, key: str) -> Any:
        origin = value.origin if isinstance(value, Given) else self._origin
        plain = value.value if isinstance(value, Given) else value
        if origin.textual and isinstance(plain, str) and _is_list(wanted):
            plain = self._json(value, key) if plain.lstrip().startswith("[") else _comma_separated(plain)

        def custom(kind: type, raw: object) -> object:
            if not isinstance(raw, str):
                raise ValueError("Expected `str`")
            if kind is Path:
                return origin.folder / Path(raw).expanduser()
            return self._secret(raw)

        try:
            return msgspec.convert(plain, wanted, strict=not origin.textual, dec_hook=custom)
        except msgspec.ValidationError as error:
            shown = "" if _has_secret(wanted) else f", not {plain!r}"
            self._fail(value, key, _in_plain_words(str(error)) + shown)

    def _json(self, value: object, key: str) -> object:
        text = value.value if isinstance(value, Given) else value
        try:
            return msgspec.json.decode(str(text))
        except msgspec.DecodeError as error:
            self._fail(value, key, f"must be a JSON list: {error}")

    def _secret(self, text: str) -> Secret:
        if not text.startswith(_ENVIRONMENT_PREFIX):
            return Secret(text)
        variable = text.removeprefix(_ENVIRONMENT_PREFIX)
        if variable not in self._environ:
            raise ValueError(f"the environment variable {variable} is not set")
        return Secret(self._environ[variable])

    def _secret_of_file(self, value: object, key: str) -> Secret:
        path = self._convert(Path, value, key)
        try:
            return Secret(path.read_text(encoding="utf-8").rstrip("\r\n"))
        except (OSError, UnicodeDecodeError) as error:
            self._fail(value, key, f"the file {path} cannot be read: {why_unreadable(error)}")

    def _unknown(self, value: object, key: str, name: str, known: Iterable[str]) -> NoReturn:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        self._fail(value, key, f"there is no such setting; {hint}allowed here: {', '.join(names)}")

    def _fail(self, value: object, key: str, reason: str) -> NoReturn:
        if isinstance(value, Given):
            raise InvalidConfiguration(f"{value.origin.text}: {reason}", source=value.origin.text, key=key)
        place = f"{self._origin.text}: {key}" if key else self._origin.text
        raise InvalidConfiguration(f"{place}: {reason}", source=self._origin.text, key=key)


def _parts(wanted: Any) -> tuple[Any, ...]:
    """The type with everything inside it: annotations off, unions and lists opened."""
    return (wanted, *(inner for part in typing.get_args(wanted) for inner in _parts(part)))


def _has_secret(wanted: Any) -> bool:
    return Secret in _parts(wanted)


def _is_list(wanted: Any) -> bool:
    return any(typing.get_origin(part) is tuple for part in _parts(wanted))


def _struct_by_name(wanted: Any) -> type[msgspec.Struct] | None:
    """The class of the entries of a table of named tables, if it is one."""
    if typing.get_origin(wanted) is not dict:
        return None
    entry = typing.get_args(wanted)[1]
    return entry if isinstance(entry, type) and issubclass(entry, msgspec.Struct) else None


def _struct_within(wanted: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    for part in _parts(wanted):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return part, _is_list(wanted)
    return None, False


def _descend(table: Mapping[str, Any], place: str) -> object:
    """What stands in the table at a dotted place, or None."""
    value: object = table
    for name in place.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _comma_separated(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _in_plain_words(error: str) -> str:
    """msgspec's message without its path, and with the words a reader of TOML knows."""
    message = re.sub(r" - at `[^`]*`$", "", error)
    message = message.removeprefix("Expected ")
    message = message.replace(" | null`", "`")
    for theirs, ours in _PLAIN_NAMES.items():
        message = message.replace(f"`{theirs}`", ours)
    message = re.sub(r", got .*$", "", message)
    return f"must be {message}" if error.startswith("Expected ") else message

"""Where settings come from, and which of them counts:

option, then environment variable, then file, then default.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from chappe.config.environment import from_environment
from chappe.config.given import Given, Origin
from chappe.config.reading import Reader
from chappe.config.settings import BUILT_IN_PROVIDERS, Config
from chappe.model.errors import InvalidConfiguration
from chappe.model.unreadable import unreadable

S = TypeVar("S", bound=msgspec.Struct)


def load_config(
    file: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    options: Mapping[str, tuple[str, object]] | None = None,
) -> Config:
    """Read the configuration. Raises `InvalidConfiguration`, naming file or variable, key and what is
    allowed.

    `options` are those of the command line by setting, such as `{"server.port": ("--port", 9400)}`.
    Relative paths in the file start at its folder, all others at the working directory.
    """
    table = _given_table(file, environ)
    for key, (option, value) in (options or {}).items():
        _put(table, tuple(key.split(".")), Given(value, Origin(option, Path.cwd(), textual=True)))
    providers = table.setdefault("providers", {})
    if isinstance(providers, dict):
        _add_built_in_providers(providers)
    return Reader(_origin(file), environ).struct(Config, table)


def load_section(name: str, cls: type[S], file: Path | None = None, *, environ: Mapping[str, str] = os.environ) -> S:
    """One section alone, whatever stands in the others: they may want variables that only the server is given.

    Raises `InvalidConfiguration`.
    """
    return Reader(_origin(file), environ).struct(cls, _given_table(file, environ).get(name, {}), name)


def _given_table(file: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    table = _file_table(file) if file is not None else {}
    for keys, given in from_environment(environ, _provider_names(table)):
        _put(table, keys, given)
    return table


def _origin(file: Path | None) -> Origin:
    return Origin(str(file or "the configuration"), file.parent.absolute() if file else Path.cwd())


def _file_table(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(file, error) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfiguration(f"{file}: is not TOML: {error}", source=str(file)) from error


def _provider_names(table: Mapping[str, Any]) -> list[str]:
    providers = table.get("providers")
    return [*(providers if isinstance(providers, dict) else ()), *BUILT_IN_PROVIDERS]


def _add_built_in_providers(providers: dict[str, Any]) -> None:
    for name, settings in BUILT_IN_PROVIDERS.items():
        entry = providers.setdefault(name, {})
        if isinstance(entry, dict):
            entry.setdefault("kind", settings.__struct_config__.tag)


def _put(table: dict[str, Any], keys: tuple[str, ...], given: Given) -> None:
    for key in keys[:-1]:
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):  # the file has something else here, which reading will refuse
            return
        table = inner
    table[keys[-1]] = given

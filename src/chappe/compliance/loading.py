"""Reading rule files: YAML in, typed rules out, or one error that lists every problem with its file, rule and
field.

A rule file is a mapping with one key, `rules`: a list of rules as `rule.Rule` and its kinds describe them.
The scalars are those of YAML 1.2 (only true and false are booleans, NO is Norway, 21:00 is text), and a key
given twice is an error.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec
import yaml

from chappe.compliance.kinds import AnyRule
from chappe.model.errors import InvalidConfiguration

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_PROBLEMS_SHOWN = 20


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing wrong with the rules: where, and what. `rule` is its id, or its place in the file ("#3")."""

    file: str
    text: str
    rule: str = ""
    field: str = ""

    def __str__(self) -> str:
        place = [self.file, f"rule {self.rule}" if self.rule else "", self.field]
        return ": ".join([part for part in place if part] + [self.text])


def packaged_rule_files() -> list[Traversable]:
    """The rule files shipped with Chappe."""
    folder = files("chappe.compliance").joinpath("rules")
    return sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)


def rule_files(paths: Iterable[Path]) -> list[Traversable]:
    """The files named, and the `*.yaml` files of the folders named. Raises `InvalidConfiguration` if there
    are none.
    """
    found: list[Traversable] = []
    for path in paths:
        if path.is_dir():
            found += sorted(path.glob("*.yaml"))
        elif path.is_file():
            found.append(path)
        else:
            raise InvalidConfiguration(f"{path}: no such rule file or folder", file=str(path))
    if not found:
        raise InvalidConfiguration("no rule files: a folder of rules must hold at least one *.yaml file")
    return found


def read_rules(sources: Iterable[Traversable]) -> list[AnyRule]:
    """Every rule of these files, in order. Raises `InvalidConfiguration` with every problem found."""
    rules: list[AnyRule] = []
    problems: list[Problem] = []
    file_of: dict[str, str] = {}
    for source in sources:
        for number, entry in enumerate(_entries(source, problems), start=1):
            rule = _typed(entry, source.name, number, problems)
            if rule is None:
                continue
            if rule.id in file_of:
                text = f"is already defined in {file_of[rule.id]}"
                problems.append(Problem(source.name, text, rule.id, "id"))
            file_of.setdefault(rule.id, source.name)
            rules.append(rule)
    if problems:
        raise _invalid(problems)
    return rules


def _invalid(problems: list[Problem]) -> InvalidConfiguration:
    shown = [str(problem) for problem in problems[:MAX_PROBLEMS_SHOWN]]
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown)} more")
    first = problems[0]
    return InvalidConfiguration(
        "the rules cannot be used:\n  " + "\n  ".join(shown),
        file=first.file,
        rule=first.rule,
        field=first.field,
        problems=[msgspec.to_builtins(problem) for problem in problems],
    )


def _entries(source: Traversable, problems: list[Problem]) -> list[Any]:
    try:
        raw = source.read_bytes()
        if len(raw) > MAX_FILE_BYTES:
            raise ValueError(f"the file is larger than {MAX_FILE_BYTES} bytes")
        document = yaml.load(raw, _RuleLoader)  # noqa: S506 (a SafeLoader: it builds plain values only)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        problems.append(Problem(source.name, " ".join(str(error).split()) or type(error).__name__))
        return []
    entries = document.get("rules") if isinstance(document, dict) and len(document) == 1 else None
    if not isinstance(entries, list):
        text = "a rule file is a mapping with one key, `rules`, that holds a list"
        problems.append(Problem(source.name, text))
        return []
    return entries


def _typed(entry: Any, file: str, number: int, problems: list[Problem]) -> AnyRule | None:
    name = f"#{number}"
    if isinstance(entry, dict) and isinstance(entry.get("id"), str):
        name = entry["id"]
    try:
        rule: AnyRule = msgspec.convert(entry, AnyRule)
    except msgspec.ValidationError as error:
        field, text = _field_and_text(str(error))
        problems.append(Problem(file, text, name, field))
        return None
    return rule


_AT = re.compile(r"^(?P<text>.*) - at `\$\.?(?P<field>[^`]*)`$", re.DOTALL)
_NAMED = re.compile(r"^(?P<field>[a-z_.]+): (?P<text>.*)$", re.DOTALL)
_MISSING = re.compile(r"^Object (missing required|contains unknown) field `(?P<field>[^`]+)`$")


def _field_and_text(message: str) -> tuple[str, str]:
    """The path of the field within the rule, and what is wrong with it."""
    at = _AT.match(message)
    path, text = (at["field"], at["text"]) if at else ("", message)
    if named := _NAMED.match(text):
        path, text = ".".join(part for part in (path, named["field"]) if part), named["text"]
    elif missing := _MISSING.match(text):
        path = ".".join(part for part in (path, missing["field"]) if part)
    return path, text


class _RuleLoader(SafeLoader):
    """Plain values by the core schema of YAML 1.2, each key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} appears twice", key_node.start_mark
                )
            if isinstance(key, Hashable):
                seen.add(key)
        return super().construct_mapping(node, deep=deep)


_RuleLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("int", r"^-?(?:0|[1-9][0-9]{0,17})$", "-0123456789"),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", "-0123456789"),
):
    _RuleLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))

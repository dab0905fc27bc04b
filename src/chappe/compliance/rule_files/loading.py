"""Reading rule files: YAML in, typed rules out, or one error that lists every problem with its file, rule, field and
line.

A rule file is a mapping with one key, `rules`: a list of rules as `rule.base.Rule` and its kinds describe them.
The scalars are those of YAML 1.2 (only true and false are booleans, NO is Norway, 21:00 is text), and a key
given twice is an error.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec
import yaml

from chappe.compliance.kinds import AnyRule
from chappe.compliance.places.jurisdictions import fault_of
from chappe.compliance.rule_files.faults import faults_of
from chappe.compliance.rule_files.lines import Lines
from chappe.model.errors import InvalidConfiguration

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_PROBLEMS_SHOWN = 20
MAX_VALUES = 1_000_000
"""In one file, each use of an alias counted: a few lines of YAML can stand for any number of values."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing wrong with the rules: where, and what. `rule` is its id, or its place in the file ("#3"); `line` is
    counted from 1.
    """

    file: str
    text: str
    rule: str = ""
    field: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = [self.file, f"rule {self.rule}" if self.rule else "", self.field]
        line = f" (line {self.line})" if self.line else ""
        return ": ".join([part for part in place if part] + [self.text]) + line


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
    reading = Reading()
    for source in sources:
        try:
            raw = source.read_bytes()
        except OSError as error:
            reading.problems.append(Problem(source.name, str(error)))
        else:
            reading.read(raw, source.name)
    if reading.problems:
        details = problem_details(reading.problems)
        raise InvalidConfiguration(f"the rules cannot be used:\n{details.pop('listed')}", **details)
    return reading.rules


class Reading:
    """Rules read from one file after another, and what is wrong with them. Ids are unique over all files."""

    def __init__(self) -> None:
        self.rules: list[AnyRule] = []
        self.problems: list[Problem] = []
        self._places: dict[str, tuple[_File, int]] = {}

    def problem(self, rule_id: str, field: str, text: str) -> Problem:
        """A problem of a rule that was read."""
        file, number = self._places[rule_id]
        return file.problem(number, rule_id, field, text)

    def read(self, raw: bytes, name: str) -> None:
        """Add the rules of a file."""
        try:
            entries = _entries(raw)
        except (ValueError, RecursionError, yaml.YAMLError) as error:
            text = " ".join(str(error).split()) or type(error).__name__
            self.problems.append(Problem(name, text, line=_line_of(error)))
            return
        file = _File(name, raw)
        for number, entry in enumerate(entries):
            self._take(entry, file, number)

    def _take(self, entry: Any, file: _File, number: int) -> None:
        name = f"#{number + 1}"
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            name = entry["id"]
        try:
            rule: AnyRule = msgspec.convert(entry, AnyRule)
        except msgspec.ValidationError:
            faults = faults_of(entry, AnyRule)
            self.problems += [file.problem(number, name, field, text) for field, text in faults]
            return
        if (fault := fault_of(rule.jurisdiction)) is not None:
            self.problems.append(file.problem(number, name, "jurisdiction", fault))
        if rule.id in self._places:
            text = f"is already defined in {self._places[rule.id][0].name}"
            self.problems.append(file.problem(number, rule.id, "id", text))
        self._places.setdefault(rule.id, (file, number))
        self.rules.append(rule)


class _File:
    """A file that was read. Its lines are only counted if something is wrong."""

    def __init__(self, name: str, raw: bytes) -> None:
        self.name = name
        self._raw = raw

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self._raw, _RuleLoader)

    def problem(self, number: int, rule: str, field: str, text: str) -> Problem:
        """A problem of the rule with this number, from 0."""
        return Problem(self.name, text, rule, field, self._lines.line(number, field))


def problem_details(problems: Sequence[Problem]) -> dict[str, Any]:
    """The details of an error: the first problem's place, all problems, and the first ones `listed` in words."""
    shown = [str(problem) for problem in problems[:MAX_PROBLEMS_SHOWN]]
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown)} more")
    first = problems[0]
    return {
        "listed": "\n".join(f"  {line}" for line in shown),
        "file": first.file,
        "rule": first.rule,
        "field": first.field,
        "line": first.line,
        "problems": [msgspec.to_builtins(problem) for problem in problems],
    }


def _entries(raw: bytes) -> list[Any]:
    if len(raw) > MAX_FILE_BYTES:
        raise ValueError(f"the file is larger than {MAX_FILE_BYTES} bytes")
    document = yaml.load(raw, _RuleLoader)  # noqa: S506 (a SafeLoader: it builds plain values only)
    _check_size(document)
    entries = document.get("rules") if isinstance(document, dict) and len(document) == 1 else None
    if not isinstance(entries, list):
        raise ValueError("a rule file is a mapping with one key, `rules`, that holds a list")
    return entries


def _check_size(document: Any) -> None:
    waiting, count = [document], 0
    while waiting:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        if count + len(waiting) > MAX_VALUES:
            raise ValueError(f"the file has more than {MAX_VALUES} values")


def _line_of(error: Exception) -> int:
    mark = getattr(error, "problem_mark", None)
    return 0 if mark is None else int(mark.line) + 1


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

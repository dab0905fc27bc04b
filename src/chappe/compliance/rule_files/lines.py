"""On which line of a rule file a field stands."""

from __future__ import annotations

import re
from typing import Any

import yaml

_STEP = re.compile(r"[^.\[\]]+")


class Lines:
    """The lines of one file, counted from 1. To be made of text that is known to be YAML."""

    def __init__(self, raw: bytes | str, loader: Any) -> None:
        document = yaml.compose(raw, Loader=loader)
        found = _value_of(document, "rules")
        self._rules: list[yaml.Node] = found[1].value if found else []

    def line(self, number: int, field: str) -> int:
        """The line of a field (such as `parameters.windows[0].start`) of the rule with this number, from 0.

        A field that is not there is looked for where it would belong.
        """
        node = self._rules[number]
        line = _line(node)
        for step in _STEP.findall(field):
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line


def _child(node: yaml.Node, step: str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode):
        if not step.isdigit() or int(step) >= len(node.value):
            return None
        entry: yaml.Node = node.value[int(step)]
        return _line(entry), entry
    return _value_of(node, step)


def _value_of(node: yaml.Node | None, key: str) -> tuple[int, yaml.Node] | None:
    """The line of the key, and its value."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                return _line(name), value
    return None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1

"""The reference of all commands as Markdown, made from their own descriptions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import typer

from chappe.cli.main import app

_HEAD = """\
# Commands

<!-- Made by `make docs`; change the commands in src/chappe/cli. -->

`--json` makes output for programs; colour and moving progress appear on terminals only. An error is one line on
standard error, `chappe: error [code]: message`. Exit codes: 0 done, 1 failed or something was refused, 2 wrong usage or
configuration.
"""


def render() -> str:
    """The whole page."""
    group: Any = typer.main.get_command(app)
    return "\n".join([_HEAD, *(_section(name, command) for name, command in _commands("chappe", group))])


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for inner in command.commands.values():
        yield from _commands(f"{name} {inner.name}", inner)


def _section(name: str, command: Any) -> str:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    words = [
        word if argument.required else f"[{word}]"
        for argument, word in zip(arguments, map(_word, arguments), strict=True)
    ]
    lines = [f"## {' '.join([name, *words])}", "", _paragraphs(command.help or ""), ""]
    if arguments or options:
        lines += ["| | |", "|---|---|"]
        lines += [f"| `{_word(argument)}` | {argument.help} |" for argument in arguments]
        lines += [_option(option) for option in options]
        lines.append("")
    return "\n".join(lines)


def _word(argument: Any) -> str:
    return str(argument.metavar or argument.name).upper()


def _option(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    variable = f" Or `{option.envvar}`." if option.envvar else ""
    return f"| {names} | {option.help}{variable} |"


def _paragraphs(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


if __name__ == "__main__":
    sys.stdout.write(render())

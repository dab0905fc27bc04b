from __future__ import annotations

from tests.commands import Run

import chappe as package

COMMANDS = ["serve", "send", "status", "queues", "doctor", "keys", "version"]


def test_version(chappe: Run) -> None:
    assert chappe("version").out == f"{package.__version__}\n"


def test_help_lists_every_command(chappe: Run) -> None:
    shown = chappe("--help")
    assert shown.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in shown.out] == []


def test_every_command_explains_itself(chappe: Run) -> None:
    for name in COMMANDS:
        shown = chappe(name, "--help")
        assert shown.code == 0
        assert shown.out.startswith("Usage: ")


def test_wrong_usage_exits_with_two(chappe: Run) -> None:
    for arguments in (["nope"], ["send"], ["serve", "--port", "many"], ["keys", "create", "--kind", "house"]):
        result = chappe(*arguments)
        assert result.code == 2
        assert "Traceback" not in result.err


def test_a_url_or_key_that_cannot_be_one_is_told(chappe: Run) -> None:
    for options in (["--url", "http://127.0.0.1:abc"], ["--url", "http://[::1"], ["--api-key", "schlüssel"]):
        result = chappe("queues", *options)
        assert result.err.startswith("chappe: error [invalid_configuration]: "), result.err
        assert result.code == 2

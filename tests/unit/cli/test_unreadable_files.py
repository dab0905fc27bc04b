"""Commands that are told to read a file which cannot be read: one line that says why, and the exit code for usage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chappe.cli.main import USAGE_ERROR, main

# No command gets as far as asking a server; with these none looks for one.
SERVER = ("--url", "http://127.0.0.1:9", "--api-key", "key")
FOLDERS_TOO = ("rules validate FILE", "rules test FILE", "rules create FILE -m why " + " ".join(SERVER))
COMMANDS = (
    "classify train FILE",
    "classify evaluate FILE",
    "classify explain text --model FILE",
    "classify models add FILE " + " ".join(SERVER),
    "send FILE " + " ".join(SERVER),
    "rules draft FILE",
    "audit check FILE --public-key PEM",
    "audit check PEM --public-key FILE",
    "audit verify --checkpoints FILE --public-key PEM",
    "consents import FILE " + " ".join(SERVER),
    "suppressions import FILE " + " ".join(SERVER),
    "people import FILE " + " ".join(SERVER),
    "people put ana FILE " + " ".join(SERVER),
    "people verify FILE --key PEM",
    "people verify PEM --key FILE",
    "registries import dnc FILE " + " ".join(SERVER),
    "serve --config FILE",
)
PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""


def complaint(
    command: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """What a command says of a file that it refuses, in one line."""
    (tmp_path / "key.pem").write_text(PEM)
    names = {"FILE": str(file), "PEM": str(tmp_path / "key.pem")}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["chappe", *(names.get(word, word) for word in command.split())])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (USAGE_ERROR, "")
    assert told.err.startswith("chappe: error [invalid_configuration]: ")
    assert told.err.count("\n") == 1
    assert str(file) in told.err
    assert "Errno" not in told.err
    return told.err


@pytest.mark.parametrize("command", [*COMMANDS, *FOLDERS_TOO])
def test_a_file_that_is_not_there(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = complaint(command, tmp_path / "absent.csv", tmp_path, monkeypatch, capsys)
    assert "no such" in told


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_in_place_of_a_file(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    assert "it is a folder" in complaint(command, tmp_path / "folder", tmp_path, monkeypatch, capsys)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("command", [*COMMANDS, *FOLDERS_TOO])
def test_a_file_of_somebody_else(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "closed.csv").touch(mode=0)
    assert "permissions" in complaint(command, tmp_path / "closed.csv", tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    "command", ["classify train FILE", "classify evaluate FILE", "rules draft FILE", "serve --config FILE"]
)
def test_a_file_that_is_not_text(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "latin.csv").write_bytes("text,label\nVoilà,spam\n".encode("latin-1"))
    assert "not UTF-8 text" in complaint(command, tmp_path / "latin.csv", tmp_path, monkeypatch, capsys)


def test_an_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    told = complaint("classify train FILE", Path(os.devnull), tmp_path, monkeypatch, capsys)
    assert told == f"chappe: error [invalid_configuration]: {os.devnull}: the file is empty.\n"

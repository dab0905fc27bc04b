"""Rivals that cannot be had are missed in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bench.figure import Figure
from bench.rivals import installing
from bench.rivals.starting import present


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "FOLDER", tmp_path / "rivals")


def _fails() -> None:
    installing._run(["sh", "-c", "printf 'reading https://host.example/x:\\n  refused\\n' >&2; exit 3"])


def test_the_reason_is_kept_in_one_line_without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(installing._INSTALLERS, "goaws", _fails)
    assert "not installed" in installing.why_missing("goaws")
    with pytest.raises(installing.NotInstallable, match=r"^reading \.\.\. refused$"):
        installing.install("goaws")
    figure = Figure("x", "x")
    assert present(["goaws"], figure) == []
    assert figure.notes == ["goaws is missing: could not be installed: reading ... refused"]


def test_a_second_try_that_succeeds_forgets_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(installing._INSTALLERS, "goaws", _fails)
    with pytest.raises(installing.NotInstallable):
        installing.install("goaws")

    def succeeds() -> None:
        installing.go_program("goaws").parent.mkdir()
        installing.go_program("goaws").touch()

    monkeypatch.setitem(installing._INSTALLERS, "goaws", succeeds)
    installing.install("goaws")
    assert installing.installed("goaws")
    assert "could not" not in installing.why_missing("goaws")


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(installing.NotInstallable, match="no-such-program was not found"):
        installing._run(["no-such-program"])


def test_a_python_that_is_new_enough_is_found_or_missed() -> None:
    assert installing._python(sys.version_info[:2]) == Path(sys.executable)
    assert installing._python((99, 0)) is None

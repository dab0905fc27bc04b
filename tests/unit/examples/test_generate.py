from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", FOLDER / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_files_are_what_the_script_writes(generate: ModuleType) -> None:
    for name, content in generate.files().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == content, "run: python examples/generate.py"


def test_there_is_something_of_everything(generate: ModuleType) -> None:
    lines = generate.files()["messages.jsonl"].splitlines()
    well_formed = list(generate.well_formed())
    assert len(well_formed) >= 200
    assert len(lines) == len(well_formed) + len(generate.MALFORMED)
    assert {entry["purpose"] for entry in well_formed} == {"transactional", "promotional"}
    assert {kind for entry in well_formed for kind in entry["to"]} == {"email", "phone", "url"}
    assert len({entry["to"].get("email", "").rpartition(".")[2] for entry in well_formed}) > 15
    for position, line in generate.MALFORMED.items():
        assert lines[position] == line
    for suppression in generate.suppressions():
        assert any(entry["to"] == suppression["to"] for entry in well_formed)

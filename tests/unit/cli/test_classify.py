"""`chappe classify` without a server: explain and generate."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from tests.commands import Run
from tests.unit.classify.tiny import PROMOTION, artefact

from chappe.classify.artefact import artefact_bytes

CORPUS = Path(__file__).parents[3] / "corpus"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.json"
    path.write_bytes(artefact_bytes(artefact().card, artefact().weights))
    return path


def test_a_text_is_explained_in_a_table_without_colours_in_a_pipe(chappe: Run, model: Path) -> None:
    told = chappe("classify", "explain", f"{PROMOTION} [red] roulette http://192.0.2.1/x", "--model", model)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("promotional, with a probability of 1.000")
    assert "sale" in told.out
    assert "together" in told.out
    assert "moderation: gambling" in told.out
    assert "link 192.0.2.1: ip_address" in told.out
    assert "\x1b" not in told.out


def test_a_text_is_explained_as_json(chappe: Run, model: Path) -> None:
    told = chappe("classify", "explain", "-", "--json", "--model", model, "--words", "2", stdin=PROMOTION.encode()).json
    assert (told["label"], told["model"]) == ("promotional", artefact().version)
    assert len(told["words"]) == 2
    assert told["probabilities"]["promotional"] == told["probability"]


def test_the_packaged_model_knows_a_code_from_an_advertisement(chappe: Run) -> None:
    code = chappe("classify", "explain", "--json", "Your verification code is 482913. Do not share it.").json
    assert (code["label"], code["kind"]) == ("transactional", "code")
    offer = chappe("classify", "explain", "--json", "Flat 50% OFF on all shoes this weekend! Shop now. T&C apply").json
    assert offer["label"] == "promotional"


def test_what_cannot_be_explained(chappe: Run, tmp_path: Path) -> None:
    empty = chappe("classify", "explain", "  ")
    assert (empty.code, empty.err) == (1, "chappe: error [invalid_input]: there is no text to explain\n")
    nothing = chappe("classify", "explain", "a", "--model", tmp_path / "nothing.json")
    assert nothing.code == 2
    assert "cannot be read" in nothing.err


def test_messages_are_made_up_as_many_as_wanted_and_the_same_for_a_seed(chappe: Run) -> None:
    made = chappe("classify", "generate", "--corpus", CORPUS, "--count", "50", "--seed", "7")
    assert made.code == 0
    assert len(made.lines) == 50
    assert {"text", "label", "kind", "group", "channel", "language", "industry", "region"} == set(made.lines[0])
    assert all("{" not in line["text"] for line in made.lines)
    assert chappe("classify", "generate", "--corpus", CORPUS, "--count", "50", "--seed", "7").out == made.out
    assert chappe("classify", "generate", "--corpus", CORPUS, "--count", "50", "--seed", "8").out != made.out
    spanish = chappe("classify", "generate", "--corpus", CORPUS, "--count", "5", "--language", "es").lines
    assert {line["language"] for line in spanish} == {"es"}


def test_a_corpus_that_is_not_there_is_told(chappe: Run, tmp_path: Path) -> None:
    told = chappe("classify", "generate", "--corpus", tmp_path)
    assert told.code == 2
    assert "no templates" in told.err
    assert chappe("classify", "generate", "--corpus", CORPUS, "--language", "xx").code == 1


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    command = [sys.executable, "-m", "chappe", "classify", "generate", "--corpus", str(CORPUS), "--count", "200000"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHAPPE_")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_a_text_in_an_unknown_language_is_said_to_be_uncertain(chappe: Run) -> None:
    told = chappe("classify", "explain", "ታላቅ ቅናሽ")
    assert "which is uncertain" in told.out
    assert "knows none of these words" in told.err
    assert chappe("classify", "explain", "--json", "ታላቅ ቅናሽ").json["uncertain"] is True


def test_a_label_that_is_not_the_likeliest_is_accounted_for(chappe: Run, tmp_path: Path) -> None:
    careful = msgspec.structs.replace(artefact().weights, promotional_floor=0.99999)
    (tmp_path / "careful.json").write_bytes(artefact_bytes(artefact().card, careful))
    told = chappe("classify", "explain", "buy code", "--model", tmp_path / "careful.json")
    assert told.out.startswith("transactional")
    assert "promotional is likelier" in told.out

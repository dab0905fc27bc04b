from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs safetensors and tokenizers of the extra chappe[embed]")
pytest.importorskip("tokenizers", reason="needs safetensors and tokenizers of the extra chappe[embed]")

from tests.unit.classify.second import tiny_bert

from chappe.classify.labels import Label
from chappe.classify.model import LABELS, Verdict
from chappe.classify.second.consulting import Consultant
from chappe.classify.second.embedding import Embedder
from chappe.classify.second.metadata import NAMES, UNKNOWN, Metadata, numbers
from chappe.classify.second.opinion import FORMAT, Header, SecondOpinion, combined, load_opinion, write_opinion
from chappe.classify.training.examples import Example
from chappe.classify.training.forest import embeddings, train_forest
from chappe.model.errors import InvalidConfiguration

_TEXTS = {Label.TRANSACTIONAL: "your code is 0", Label.PROMOTIONAL: "sale buy now", Label.SPAM: "buy code sale"}
_BAD, _GOOD = Metadata(reputation=0.05), Metadata(reputation=0.95)


def _examples() -> list[Example]:
    plain = [
        Example(f"{text} {'now ' * number}", label, f"{label}{number}")
        for label, text in _TEXTS.items()
        for number in range(6)
    ]
    # The same words from senders of good and of bad repute are different things.
    told = [
        Example("your sale is now", label, f"told{number}{label}", metadata=metadata)
        for number in range(30)
        for label, metadata in ((Label.PROMOTIONAL, _GOOD), (Label.SPAM, _BAD))
    ]
    return plain + told


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedding and a second opinion that was taught with it."""
    path = tmp_path_factory.mktemp("second")
    tiny_bert.write(path / "bert")
    embedder = Embedder(path / "bert")
    examples = _examples()
    lexical, forest = train_forest(examples, embeddings(examples, embedder, lambda done: None), trees=25)
    header = Header(FORMAT, embedder.digest, embedder.width, tuple(map(str, LABELS)), NAMES, "a few words")
    write_opinion(path / "second.npz", header, lexical, forest)
    return path


@pytest.fixture
def opinion(folder: Path) -> SecondOpinion:
    return load_opinion(folder / "second.npz", folder / "bert")


def _verdict(*shares: float) -> Verdict:
    return Verdict(LABELS[shares.index(max(shares))], max(shares), shares, None, 3)


def test_it_has_learnt_its_texts(opinion: SecondOpinion) -> None:
    for label, text in _TEXTS.items():
        shares = opinion.judge(text)
        assert sum(shares) == pytest.approx(1, abs=1e-2)
        assert LABELS[shares.index(max(shares))] is label


def test_metadata_counts(opinion: SecondOpinion) -> None:
    bad, good = (opinion.judge("your sale is now", metadata) for metadata in (_BAD, _GOOD))
    spam, promotional = LABELS.index(Label.SPAM), LABELS.index(Label.PROMOTIONAL)
    assert bad[spam] > bad[promotional]
    assert good[promotional] > good[spam]


def test_what_is_not_known_is_no_number_that_could_be_known() -> None:
    known = numbers(Metadata(0.0, 0, 0, 0, 0.0))
    assert not set(known) & set(numbers(UNKNOWN))
    assert numbers(Metadata(hour=0)) == pytest.approx(numbers(Metadata(hour=24)))


def test_features_are_those_of_training(opinion: SecondOpinion, folder: Path) -> None:
    from chappe.classify.training.forest import matrix

    example = Example("your code is 0", Label.SPAM, "1", metadata=_GOOD)
    embedded = np.array([opinion.embedding.embed(example.text)])
    row = matrix([example], opinion.lexical, embedded).toarray()[0]
    assert np.array_equal(opinion.features(example.text, _GOOD), row)


def test_another_embedding_is_refused(folder: Path, tmp_path: Path) -> None:
    tiny_bert.write(tmp_path, seed=2)
    with pytest.raises(InvalidConfiguration, match="another embedding"):
        load_opinion(folder / "second.npz", tmp_path)


def test_files_of_other_kinds_are_refused(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "second.npz").read_bytes()
    for content in (b"", b"PK", whole[: len(whole) // 2]):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(InvalidConfiguration):
            load_opinion(tmp_path / "bad.npz", folder / "bert")


def test_nothing_is_unpickled(folder: Path, tmp_path: Path) -> None:
    with np.load(folder / "second.npz") as file:
        arrays = dict(file)
    arrays["left"] = np.array([object()], dtype=object)
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(InvalidConfiguration, match="allow_pickle"):
        load_opinion(tmp_path / "bad.npz", folder / "bert")


def test_both_together_are_their_mean() -> None:
    both = combined(_verdict(0.55, 0.45, 0, 0), (0.1, 0.9, 0, 0))
    assert both.label is Label.PROMOTIONAL
    assert both.probabilities == pytest.approx((0.325, 0.675, 0, 0))


def test_promotional_from_the_floor_of_the_model_on_with_a_second_opinion_too() -> None:
    strict = msgspec.structs.replace(_verdict(0.55, 0.45, 0, 0), promotional_floor=0.7)
    both = combined(strict, (0.1, 0.9, 0, 0))
    assert (both.label, both.probability) == (Label.TRANSACTIONAL, pytest.approx(0.325))
    assert combined(strict, (0, 1, 0, 0)).label is Label.PROMOTIONAL


async def test_only_the_uncertain_are_asked_about(folder: Path) -> None:
    loads: list[int] = []

    def load() -> SecondOpinion:
        loads.append(threading.get_ident())
        return load_opinion(folder / "second.npz", folder / "bert")

    consultant = Consultant(load)
    sure, unsure = _verdict(0.95, 0.05, 0, 0), _verdict(0.52, 0.48, 0, 0)
    assert await consultant.verdict("sale buy now", sure) is sure
    assert (consultant.asked, loads) == (0, [])
    first, second = await asyncio.gather(*[consultant.verdict("sale buy now", unsure) for _ in range(2)])
    assert first == second
    assert first.label is Label.PROMOTIONAL
    assert (consultant.asked, consultant.changed, len(loads)) == (2, 2, 1)
    assert loads[0] != threading.get_ident()
    consultant.close()


def test_the_least_likely_verdicts_are_the_least_certain() -> None:
    consultant = Consultant(lambda: pytest.fail("not asked"))
    assert consultant.is_uncertain(_verdict(0.27, 0.26, 0.25, 0.22))
    assert consultant.is_uncertain(_verdict(0.69, 0.31, 0, 0))
    assert not consultant.is_uncertain(_verdict(0.71, 0.29, 0, 0))
    consultant.close()


async def test_the_same_question_is_worked_out_once(folder: Path) -> None:
    opinion = load_opinion(folder / "second.npz", folder / "bert")
    judged: list[str] = []

    class Counting(SecondOpinion):
        def judge(self, text: str, metadata: Metadata = UNKNOWN) -> tuple[float, ...]:
            judged.append(text)
            return super().judge(text, metadata)

    consultant = Consultant(lambda: Counting(opinion.header, opinion.lexical, opinion.embedding, opinion.forest))
    unsure = _verdict(0.52, 0.48, 0, 0)
    answers = [await consultant.verdict("sale buy now", unsure) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    await consultant.verdict("sale buy now", unsure, _BAD)
    assert (len(judged), consultant.asked) == (2, 4)
    consultant.close()


async def test_what_takes_too_long_is_not_waited_for(folder: Path) -> None:
    go_on = threading.Event()

    def load() -> SecondOpinion:
        go_on.wait(30)
        return load_opinion(folder / "second.npz", folder / "bert")

    consultant = Consultant(load, wait_seconds=0.01)
    unsure = _verdict(0.52, 0.48, 0, 0)
    assert await consultant.verdict("sale buy now", unsure) is unsure
    assert consultant.passed_over == 1
    go_on.set()
    consultant.close()


async def test_a_crowd_does_not_wait(folder: Path) -> None:
    go_on = threading.Event()

    def load() -> SecondOpinion:
        go_on.wait(30)
        return load_opinion(folder / "second.npz", folder / "bert")

    consultant = Consultant(load, waiting_max=1)
    unsure = _verdict(0.52, 0.48, 0, 0)
    waiting = asyncio.create_task(consultant.verdict("sale buy now", unsure))
    await asyncio.sleep(0)
    assert await consultant.verdict("sale buy now", unsure) is unsure
    assert consultant.passed_over == 1
    go_on.set()
    assert (await waiting).label is Label.PROMOTIONAL
    consultant.close()


def test_a_header_of_other_labels_is_refused(opinion: SecondOpinion, folder: Path, tmp_path: Path) -> None:
    header = msgspec.structs.replace(opinion.header, labels=("yes", "no"))
    write_opinion(tmp_path / "other.npz", header, opinion.lexical, opinion.forest)
    with pytest.raises(InvalidConfiguration, match="another format"):
        load_opinion(tmp_path / "other.npz", folder / "bert")

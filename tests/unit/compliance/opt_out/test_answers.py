from __future__ import annotations

from pathlib import Path

import pytest

from chappe.compliance.opt_out import Intent, read_reply
from chappe.compliance.opt_out.answers import choose_answers, packaged_answers, read_answers
from chappe.model.errors import InvalidConfiguration


@pytest.mark.parametrize("language", sorted(packaged_answers()))
def test_every_language_says_who_it_is(language: str) -> None:
    answers = packaged_answers()[language]
    for intent in (Intent.OPT_OUT, Intent.OPT_IN, Intent.HELP):
        text = answers.text(intent, "Acme", "help@acme.example")
        assert text.startswith("Acme")
        assert "{" not in text
    assert "help@acme.example" in answers.text(Intent.HELP, "Acme", "help@acme.example")


def test_without_a_contact_the_sentence_that_names_it_is_left_out() -> None:
    assert packaged_answers()["en"].text(Intent.HELP, "Acme", None) == "Acme: Reply STOP to get no more messages."


@pytest.mark.parametrize(
    "word", ["START", "ALTA", "REPRENDRE", "INIZIA", "VOLTAR", "СТАРТ", "BAŞLA", "开始", "再開", "시작"]
)
def test_the_words_that_answers_name_are_understood(word: str) -> None:
    assert read_reply(word).intent is Intent.OPT_IN


def test_a_file_takes_the_place_of_one_language(tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text("en: {opt_out: 'Bye from {brand}.', opt_in: Hi, help: H, support: S}")
    answers = read_answers(file)
    assert choose_answers(answers, ["xx", "en"]).text(Intent.OPT_OUT, "Acme", None) == "Bye from Acme."
    assert choose_answers(answers, ["de"]) == packaged_answers()["de"]


@pytest.mark.parametrize(
    "text", ["en: {opt_out: 1}", "en: [", "en: {opt_out: a, opt_in: b, help: c, support: d, e: f}"]
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(text)
    with pytest.raises(InvalidConfiguration, match=r"answers\.yaml"):
        read_answers(file)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.compliance.opt_out import CERTAIN, POSSIBLE, EvidenceKind, Intent, Scope, read_reply
from chappe.compliance.opt_out.tables import jurisdictions, languages


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop.",
        "¡stop!",
        "ＳＴＯＰ",
        "s t o p",
        "S.T.O.P",
        "Stop\u200b",
        "stop 🙏",
        "stoooop",
        "STOP STOP STOP",
        "Hello, please stop. Thanks",
        "STOP\n\nSent from my iPhone",
        "STOP - Ana Lima",
        "STOP\n\nOn Mon, 2 Mar 2026 Acme wrote:\n> Reply HELP for help",
        "STOP 36180",
    ],
)
def test_one_word_is_found_however_it_is_written(text: str) -> None:
    reply = read_reply(text)
    assert (reply.intent, reply.keyword) == (Intent.OPT_OUT, "stop")
    assert reply.certain


@pytest.mark.parametrize("text", ["ARRÊT", "退订", "수신거부", "중지", "중단", "отписаться"])
def test_one_word_of_another_language_is_enough(text: str) -> None:
    reply = read_reply(text)
    assert reply.intent is Intent.OPT_OUT
    assert reply.certain


@pytest.mark.parametrize(
    "text", ["stpo", "sotp", "stop it", "stopp", "st0p", "unsubcribe", "unsuscribe", "unsubscirbe"]
)
def test_typing_errors_count(text: str) -> None:
    assert read_reply(text).intent is Intent.OPT_OUT


@pytest.mark.parametrize(
    "text",
    ["shop", "step", "top", "post", "pots", "spot", "cancer", "quite", "star", "smart", "hello", "held", "resumes"],
)
def test_words_near_a_keyword_are_not_taken_for_it(text: str) -> None:
    assert read_reply(text).intent is Intent.NONE


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        ("don't stop the updates", "dont stop"),
        ("please stop by the store", "stop by"),
        ("when does it stop?", "when does it stop"),
        ("no quiero darme de baja", "no quiero darme"),
        ("ich will mich nicht abmelden", "nicht abmelden"),
    ],
)
def test_what_takes_evidence_back_is_told(text: str, guard: str) -> None:
    reply = read_reply(text)
    assert reply.intent is Intent.NONE
    assert any(piece.kind is EvidenceKind.GUARDED and guard in (piece.because or "") for piece in reply.evidence)


def test_a_guard_takes_back_only_what_it_touches() -> None:
    reply = read_reply("Don't stop the order updates. But stop sending me offers!")
    assert reply.intent is Intent.OPT_OUT
    assert reply.scope is Scope.PROMOTIONAL


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("STOP", Scope.CHANNEL),
        ("please take me off your list", Scope.CHANNEL),
        ("no more offers", Scope.PROMOTIONAL),
        ("lass mich in Ruhe mit eurer Werbung", Scope.PROMOTIONAL),
        ("never contact me again", Scope.ALL),
        ("stop all messages", Scope.ALL),
        ("STOP ALL", Scope.ALL),
        ("delete my number and stop texting", Scope.ALL),
    ],
)
def test_the_scope_is_read(text: str, scope: Scope) -> None:
    reply = read_reply(text)
    assert (reply.intent, reply.scope) == (Intent.OPT_OUT, scope)


@pytest.mark.parametrize(
    "text", ["not interested", "kein Interesse", "wrong number", "how do I unsubscribe", "🛑", "stop?"]
)
def test_what_may_be_an_opt_out_is_for_people_to_look_at(text: str) -> None:
    reply = read_reply(text)
    assert reply.intent is Intent.OPT_OUT
    assert POSSIBLE <= reply.confidence < CERTAIN
    assert not reply.certain


def test_short_words_count_where_their_language_is_expected() -> None:
    assert read_reply("T").intent is Intent.NONE
    assert read_reply("T", jurisdiction="CN").intent is Intent.OPT_OUT
    assert read_reply("para", language="es-MX").intent is Intent.OPT_OUT
    assert read_reply("para").intent is Intent.NONE


def test_words_of_a_jurisdiction_count_there() -> None:
    assert read_reply("B ACME").intent is Intent.NONE
    assert read_reply("b acme", jurisdiction="AE").intent is Intent.OPT_OUT
    assert read_reply("CONTACT", jurisdiction="FR").intent is Intent.HELP


def test_words_of_the_caller_count() -> None:
    assert read_reply("basta acme").intent is not Intent.OPT_OUT
    assert read_reply("Basta ACME!", extra_keywords=["basta acme"]).keyword == "basta acme"


def test_evidence_adds_up() -> None:
    one, two = read_reply("not interested"), read_reply("not interested, this is spam")
    assert one.confidence < CERTAIN <= two.confidence


@pytest.mark.parametrize("place", sorted(jurisdictions()))
def test_every_jurisdiction_understands_its_own_words_and_stop(place: str) -> None:
    assert read_reply("STOP", jurisdiction=place).intent is Intent.OPT_OUT
    for intent, words in jurisdictions()[place].keywords.items():
        for word in words:
            assert read_reply(word.replace("<sender>", "ACME"), jurisdiction=place).intent is intent


@pytest.mark.parametrize("code", sorted(languages()))
def test_every_language_has_its_words(code: str) -> None:
    language = languages()[code]
    assert {Intent.OPT_OUT, Intent.OPT_IN, Intent.HELP} <= set(language.keywords.values())
    for word, intent in language.keywords.items():
        assert read_reply(word, language=code).intent is intent, word


def test_there_are_more_than_twelve_languages() -> None:
    assert len(languages()) >= 28


def test_no_word_opts_out_in_one_language_and_in_in_another() -> None:
    meanings: dict[str, set[Intent]] = {}
    for language in languages().values():
        for word, intent in language.keywords.items():
            meanings.setdefault(word, set()).add(intent)
    assert {word for word, intents in meanings.items() if {Intent.OPT_OUT, Intent.OPT_IN} <= intents} == set()


@given(st.text(max_size=300))
def test_any_text_has_a_reading(text: str) -> None:
    reply = read_reply(text)
    assert 0 <= reply.confidence <= 1
    assert reply == read_reply(text)


@given(
    st.sampled_from(["STOP", "unsubscribe", "baja", "退订", "הסר", "إلغاء"]), st.text(" \t\n.!\u200b\ufeff", max_size=8)
)
def test_what_stands_around_a_keyword_does_not_matter(keyword: str, around: str) -> None:
    assert read_reply(around + keyword + around).intent is Intent.OPT_OUT


def test_a_long_text_is_read_in_bounded_time() -> None:
    for text in ("stop " * 20_000, "do not " * 20_000, "a" * 200_000, "s.t.o.p. " * 10_000, "\n" * 100_000):
        read_reply(text)

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compliance.drafting.measuring import DEVELOPMENT, HELD_OUT, Text, texts_of

from chappe.compliance.drafting import Draft, draft
from chappe.compliance.drafting.context import Context
from chappe.compliance.drafting.modality import rules
from chappe.compliance.drafting.passages import Shape, folded, passages
from chappe.compliance.drafting.writing import appended, rule_file
from chappe.compliance.rule_files.loading import Reading
from chappe.model.errors import InvalidInput

TEXTS = [*texts_of(DEVELOPMENT), *texts_of(HELD_OUT)]
PHRASES = (
    "may not be sent",
    "before 9 a.m.",
    "or after 8 p.m.",
    "between 9 p.m. and 8 a.m.",
    "on Sundays",
    "marketing text messages",
    "no more than three",
    "in any 24 hours",
    "within ten business days",
    "consent",
    "unless",
    "must include",
    "the sender's name",
    '"ADV"',
    "in France",
    "opt-out requests",
    "shall be kept for",
    "two years",
    ".",
    ";",
    ":",
    "\n",
    "\n\n",
    "(a) ",
    "- ",
    "| 9:00 | 8 pm |",
    "the",
    "of",
    "to",
    "{",
    "<",
    "00:00",
    "24 00",
    "0",
    "once",
)


def _name(text: Text) -> str:
    return text.name


def _only(found: Draft) -> dict[str, object]:
    (proposal,) = found.proposals
    return proposal.rule


@pytest.mark.parametrize("text", TEXTS, ids=_name)
def test_a_draft_is_a_valid_rule_file_and_always_the_same(text: Text) -> None:
    found = draft(text.text)
    assert draft(text.text) == found
    reading = Reading()
    reading.read(rule_file(found.proposals, found).encode(), "drafted.yaml")
    assert reading.problems == []
    assert [rule.id for rule in reading.rules] == [proposal.id for proposal in found.proposals]


@pytest.mark.parametrize("text", TEXTS, ids=_name)
def test_every_quote_is_where_it_says(text: Text) -> None:
    found = draft(text.text)
    quotes = [quoted for proposal in found.proposals for quoted in proposal.drafted_from]
    quotes += [unread.passage for unread in (*found.not_understood, *found.set_aside)]
    for quoted in quotes:
        assert folded(text.text[quoted.start : quoted.end]) == quoted.text
        assert text.text[: quoted.start].count("\n") + 1 == quoted.line


@pytest.mark.parametrize("text", TEXTS, ids=_name)
def test_nothing_that_sounds_like_a_rule_is_dropped(text: Text) -> None:
    found = draft(text.text)
    told = {quoted.start for proposal in found.proposals for quoted in proposal.drafted_from}
    told |= {unread.passage.start for unread in (*found.not_understood, *found.set_aside)}
    told |= {
        passage.start
        for passage in passages(text.text)
        if any(passage.text in "".join(p.doubts) for p in found.proposals)
    }
    context = Context(passages(text.text))
    for passage in context.passages:
        if passage.shape is not Shape.HEADING and rules(context.words(passage)):
            assert passage.start in told, passage.text


@given(st.lists(st.sampled_from(PHRASES), min_size=1, max_size=40).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_whatever_the_text_every_proposal_is_a_valid_rule(text: str) -> None:
    try:
        found = draft(f"The rules of the act are these, and they are for all in it. {text}")
    except InvalidInput:
        return
    reading = Reading()
    reading.read(rule_file(found.proposals, found).encode(), "drafted.yaml")
    assert reading.problems == []


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = draft(text)
    except InvalidInput:
        return
    assert found.passages > 0


@pytest.mark.parametrize(
    "text",
    [
        "Werbliche Nachrichten dürfen nicht zwischen 21 Uhr und 8 Uhr versendet werden.",
        "Les messages publicitaires ne peuvent être envoyés ni le dimanche ni les jours fériés.",
        "广告短信不得在晚上九点至早上八点之间发送。",
        "Wiadomości reklamowe nie mogą być wysyłane między 21:00 a 8:00, chyba że odbiorca wyraził na to zgodę.",
        "Der må ikke sendes reklame på sms mellem klokken 21 og 8, medmindre modtageren har givet tilladelse for det.",
        "Het is verboden om tussen 21 uur en 8 uur reclame per sms te sturen, of op zondag.",
        "",
        "  \n ",
    ],
)
def test_other_languages_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"English|no words"):
        draft(text)


def test_a_forbidden_night_is_an_allowed_day() -> None:
    rule = _only(draft("Promotional SMS may not be sent in Poland between 9 p.m. and 8 a.m. the following day."))
    assert rule["parameters"] == {"start": "08:00", "end": "21:00"}


def test_a_given_jurisdiction_counts_whatever_the_text_says() -> None:
    text = "Promotional SMS may not be sent in Poland after 9 p.m. or before 8 a.m."
    assert _only(draft(text, jurisdiction="US-FL"))["jurisdiction"] == "US-FL"


def test_a_clause_that_was_not_read_makes_it_doubtful() -> None:
    plain = draft("Poland. A seller may send no more than two promotional SMS per day.").proposals[0]
    hedged = draft(
        "Poland. A seller may send no more than two promotional SMS per day, unless it is a charity."
    ).proposals[0]
    assert hedged.confidence < plain.confidence
    assert "unless it is a charity" in hedged.doubts[0]
    assert "unless it is a charity" in str(hedged.rule["notes"])


def test_public_holidays_of_nowhere_are_left_out_and_that_is_said() -> None:
    found = draft("Promotional SMS must not be sent on Sundays and public holidays.")
    assert _only(found)["parameters"] == {"days": ["sun"]}
    assert any("public holidays" in doubt for doubt in found.proposals[0].doubts)


def test_a_rule_says_that_nobody_has_checked_it() -> None:
    rule = _only(draft("Promotional SMS may not be sent in Poland after 9 p.m. or before 8 a.m.", source="act.txt"))
    assert rule["confidence"] == "from general knowledge"
    assert rule["unverified_parameters"] == ["start", "end"]
    assert rule["source"] == "act.txt"


def test_rules_can_be_added_to_a_file() -> None:
    found = draft(
        "Poland. Promotional SMS may not be sent after 9 p.m. Each promotional SMS must include an opt-out link."
    )
    first, second = found.proposals
    text = appended(rule_file([first], found), [second])
    reading = Reading()
    reading.read(text.encode(), "mine.yaml")
    assert not reading.problems
    assert [rule.id for rule in reading.rules] == [first.id, second.id]


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidInput, match="split it"):
        draft("It must not be. " * 30_000)

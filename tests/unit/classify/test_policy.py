"""What follows from a verdict."""

from __future__ import annotations

import pytest

from chappe.classify.drift import NOBODY, OTHERS, SENDERS_MAX, Drift
from chappe.classify.labels import Kind, Label
from chappe.classify.links import Suspicion
from chappe.classify.model import Verdict
from chappe.classify.policy import Policy, content_flag, link_flag, moderation_flag, suspected
from chappe.model.classification import Flag, Treatment

POLICY = Policy()


def verdict(label: Label, probability: float, transactional: float = 0.0) -> Verdict:
    rest = 1 - probability
    shares = {Label.TRANSACTIONAL: transactional, Label.CONVERSATIONAL: rest - transactional}
    if label is Label.TRANSACTIONAL:
        shares = {Label.CONVERSATIONAL: rest}
    shares[label] = probability
    return Verdict(label, probability, tuple(shares.get(entry, 0.0) for entry in Label), None, 3)


def flag(
    found: Verdict, kind: Kind = Kind.RECEIPT, policy: Policy = POLICY, *, declared_promotional: bool = False
) -> Flag | None:
    suspect = suspected(policy, found, declared_promotional=declared_promotional)
    return None if suspect is None else content_flag(policy, suspect, found, kind, ("sale", "buy"))


def test_a_promotion_in_disguise_is_treated_as_one_and_the_reason_says_why() -> None:
    found = flag(verdict(Label.PROMOTIONAL, 0.93))
    assert found is not None
    assert found.treatment is Treatment.PROMOTIONAL
    assert found.reason == "reads as promotional with a probability of 0.930 (sale, buy): treated as promotional"


@pytest.mark.parametrize(
    ("found", "declared_promotional"),
    [
        (verdict(Label.TRANSACTIONAL, 0.99), False),
        (verdict(Label.CONVERSATIONAL, 0.99), False),
        (verdict(Label.PROMOTIONAL, POLICY.promotional_threshold - 0.01), False),
        (verdict(Label.SPAM, POLICY.spam_threshold - 0.01), False),
        (verdict(Label.PROMOTIONAL, 0.99), True),
        (verdict(Label.TRANSACTIONAL, 0.99), True),
    ],
)
def test_what_gives_no_cause(found: Verdict, declared_promotional: bool) -> None:
    assert flag(found, declared_promotional=declared_promotional) is None


@pytest.mark.parametrize("kind", [Kind.CODE, Kind.ALERT])
@pytest.mark.parametrize("label", [Label.PROMOTIONAL, Label.SPAM])
def test_what_may_be_a_code_or_an_alert_needs_far_more(kind: Kind, label: Label) -> None:
    strict = Policy(promotional=Treatment.BLOCK, spam=Treatment.BLOCK)
    unsure = flag(verdict(label, 0.96, transactional=0.03), kind, strict)
    assert unsure is not None
    assert unsure.treatment is Treatment.ANNOTATE
    assert "nothing is done below 0.99" in unsure.reason
    sure = flag(verdict(label, 0.995, transactional=0.004), kind, strict)
    assert sure is not None
    assert sure.treatment is Treatment.BLOCK


def test_what_is_hardly_transactional_at_all_is_no_code() -> None:
    found = flag(verdict(Label.PROMOTIONAL, 0.9, transactional=0.001), Kind.CODE)
    assert found is not None
    assert found.treatment is Treatment.PROMOTIONAL


def test_spam_is_held_also_when_it_is_declared_promotional() -> None:
    found = flag(verdict(Label.SPAM, 0.97), declared_promotional=True)
    assert found is not None
    assert found.treatment is Treatment.HOLD


def test_flags_are_notes_unless_more_is_asked_for() -> None:
    strict = Policy(moderation={"hate": Treatment.BLOCK}, links={"imitation": Treatment.HOLD})
    assert moderation_flag(POLICY, "hate").treatment is Treatment.ANNOTATE
    assert moderation_flag(strict, "hate").treatment is Treatment.BLOCK
    assert moderation_flag(strict, "gambling").treatment is Treatment.ANNOTATE
    assert link_flag(strict, Suspicion.IMITATION, "examp1e.com").treatment is Treatment.HOLD
    for suspicion in Suspicion:
        assert "examp1e.com" in link_flag(POLICY, suspicion, "examp1e.com").reason


def test_exemptions() -> None:
    policy = Policy(exempt_categories=frozenset({"healthcare"}), exempt_senders=frozenset({"acme"}))
    assert policy.exempts("healthcare", None)
    assert policy.exempts(None, "ACME")
    assert not policy.exempts("other", "else")
    assert not policy.exempts(None, None)


def test_drift_counts_by_sender_and_is_bounded() -> None:
    drift = Drift()
    drift.note("Acme", verdict(Label.PROMOTIONAL, 0.9), Treatment.PROMOTIONAL, declared_promotional=False)
    drift.note("Acme", verdict(Label.TRANSACTIONAL, 0.55), None, declared_promotional=False)
    drift.note("Acme", verdict(Label.TRANSACTIONAL, 0.9), None, declared_promotional=True)
    drift.note(None, verdict(Label.CONVERSATIONAL, 0.9), None, declared_promotional=True)
    acme, nobody = drift.senders()
    assert (acme.sender, acme.judged, acme.uncertain, acme.disagreeing) == ("Acme", 3, 1, 2)
    assert (nobody.sender, nobody.judged, nobody.uncertain, nobody.disagreeing) == (NOBODY, 1, 0, 0)
    assert drift.treatments[Treatment.PROMOTIONAL] == 1
    for number in range(2 * SENDERS_MAX):
        drift.note(f"sender {number}", verdict(Label.TRANSACTIONAL, 0.9), None, declared_promotional=False)
    senders = {entry.sender: entry for entry in drift.senders()}
    assert len(senders) == SENDERS_MAX + 1
    assert sum(entry.judged for entry in senders.values()) == 4 + 2 * SENDERS_MAX
    assert senders[OTHERS].judged > SENDERS_MAX

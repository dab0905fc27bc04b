"""Whenever the demonstration is run, it is night for some of its recipients and day for others."""

from __future__ import annotations

import json
from pathlib import Path

from chappe.compliance.facts.recipient import Consent, ConsentLevel, Facts, locate
from chappe.compliance.rule_sets.rule_set import load_rule_set
from chappe.demo.sender import ACME
from chappe.model.customer import Channel, Content, CustomerMessage, Outcome, Purpose, Recipient

FOLDER = Path(__file__).parents[3] / "examples"
MONDAY_MS = 1_795_996_800_000
"""2026-11-30T00:00:00Z"""


def newsletters() -> list[tuple[CustomerMessage, Facts]]:
    """The promotional mails to people who agreed to them, with what is known of these people."""
    agreed = {
        entry["person"]["email"]
        for entry in map(json.loads, (FOLDER / "consents.jsonl").read_text(encoding="utf-8").splitlines())
        if "email" in entry["person"] and entry["granted"]
    }
    consent = Consent(
        Channel.EMAIL,
        Purpose.PROMOTIONAL,
        granted=True,
        recorded_at_ms=1_793_000_000_000,
        level=ConsentLevel.WRITTEN,
        proof="form",
    )
    return [
        (
            CustomerMessage(
                id="m",
                to=(to := Recipient(email=email)),
                channel=Channel.EMAIL,
                purpose=Purpose.PROMOTIONAL,
                content=Content(text="Hi"),
                created_at_ms=0,
            ),
            Facts(locate(to).jurisdiction, locate(to).zones, consents=(consent,), sender=ACME, unsubscribe_links=True),
        )
        for email in sorted(agreed)
    ]


def test_at_every_hour_of_a_week_some_wait_and_some_are_sent() -> None:
    rules, mails = load_rule_set(), newsletters()
    for hour in range(7 * 24):
        now_ms = MONDAY_MS + hour * 3_600_000
        outcomes = {rules.decide(message, facts, now_ms).outcome for message, facts in mails}
        assert outcomes >= {Outcome.ALLOW, Outcome.DEFER}, f"hour {hour}: {outcomes}"

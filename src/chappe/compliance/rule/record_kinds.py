"""The records that laws speak of, and what happened to one: what a duty rule is asked about."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class RecordKind(StrEnum):
    """What is kept."""

    CONSENT = "consent"
    """Proof of an agreement."""
    OPT_OUT = "opt_out"
    """A request to stop: unsubscription, refusal, entry in the sender's own do-not-call list."""
    SEND_LOG = "send_log"
    """Which message went when to whom, and what became of it."""
    CONTENT = "content"
    """What a message said: scripts, texts."""
    DATA_REQUEST = "data_request"
    """A person's request about their data, and the answer."""
    PERSON = "person"
    """A person's profile: address, preferences, relationship."""


class Subject(StrEnum):
    """Whom a record is about, where the law tells people apart."""

    ANYONE = "anyone"
    PROSPECT = "prospect"
    """Somebody who has not become a customer."""
    CHILD = "child"


class Since(StrEnum):
    """From when a period is counted."""

    MADE = "made"
    LAST_USED = "last_used"
    LAST_SENT = "last_sent"
    LAST_CONTACT = "last_contact"
    RELATIONSHIP_ENDED = "relationship_ended"


class History(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happened to a record, in ms since the epoch; None: not yet, or not known.

    `relationship_ended_ms` None means that the relationship goes on.
    """

    made_ms: int
    last_used_ms: int | None = None
    last_sent_ms: int | None = None
    last_contact_ms: int | None = None
    relationship_ended_ms: int | None = None

    def moment_ms(self, since: Since) -> int | None:
        """From when a period runs. The last use, message or contact is at the earliest the making of the record; None
        means that the period has not begun.
        """
        if since is Since.MADE:
            return self.made_ms
        moment: int | None = getattr(self, f"{since.value}_ms")
        if since is Since.RELATIONSHIP_ENDED:
            return moment
        return max(self.made_ms, moment or self.made_ms)

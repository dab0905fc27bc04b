"""Making records of decisions, to be committed together with what the decisions cause."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection

from chappe.model.customer import Content, CustomerMessage, Decision, RuleOutcome
from chappe.model.decision_forms import forms_of
from chappe.model.errors import DataDamaged
from chappe.observe.audit.persons import PersonKeys, Wrapping, decrypt, encrypt
from chappe.observe.audit.record import (
    AnyRecord,
    ErasureRecord,
    PersonalPart,
    Stage,
    WrittenDecision,
    decode_personal,
    encode,
)
from chappe.records import ids
from chappe.records.audit_pages import Entry, digest_of
from chappe.records.person_keys import PersonKey, keys_of_persons
from chappe.records.recipients import recipient_text
from chappe.records.store import Records

NOT_QUOTED = "[personal]"
_QUOTED_MIN_CHARACTERS = 3
_NO_CONTENT = Content()
_ID_PREFIX = len(ids.MESSAGE) + 1
_encoder = msgspec.json.Encoder()


class Recorder:
    """Makes the records of one server. `wrapping_key` (32 bytes) is derived from the server's secret."""

    def __init__(self, records: Records, wrapping_key: bytes) -> None:
        self._records = records
        self._wrapping = Wrapping(wrapping_key)
        self._keys = PersonKeys(self._wrapping, records.audit.keys_of, records.keys.next)

    async def persons(self, recipients: Iterable[str]) -> dict[str, PersonKey]:
        """The keys under which the personal parts of records about these recipients (`recipient_text`) are kept."""
        return await self._keys.of(recipients)

    def opened(
        self, read: Callable[[Callable[[Connection], Any]], Any], parts: Sequence[tuple[int, bytes]]
    ) -> list[PersonalPart | None]:
        """Personal parts (person, encrypted) opened, in order; None where the person was erased.

        `read` runs a function on a view of the database. May be called in any thread. Raises `DataDamaged`.
        """
        stored = read(partial(keys_of_persons, persons=[person for person, _ in parts]))
        keys = {person: self._wrapping.opened(key) for person, key in stored.items()}
        try:
            return [decode_personal(decrypt(keys[person], part)) if person in keys else None for person, part in parts]
        except ValueError as error:
            raise DataDamaged(f"A personal part in the audit log cannot be opened: {error}.") from error

    async def erase(self, recipient: str, now_ms: int) -> list[int]:
        """Make everything personal that the log holds about a recipient unreadable for ever, and say so in the log.

        Gives the names under which the log knew the recipient; none if it never did.
        """
        self._keys.forget(recipient)
        erased = await self._records.audit.erase(
            recipient, lambda persons: open_entry(ErasureRecord(at_ms=now_ms, persons=tuple(persons)), now_ms)
        )
        self._keys.forget(recipient)
        return erased


def decision_entry(
    message: CustomerMessage,
    facts: msgspec.Struct,
    decision: Decision,
    *,
    at_ms: int,
    stage: Stage,
    person: PersonKey,
    jurisdiction: str | None,
    personal_texts: Iterable[str] = (),
) -> Entry:
    """The record of a decision on a stored message. `personal_texts` are what reasons may have quoted of the facts."""
    shown, reasons = _without(decision, [message.to.address, recipient_text(message.to), *personal_texts])
    open_part = encode(
        WrittenDecision(
            message.id,
            at_ms,
            stage,
            message.channel.value,
            message.purpose.value,
            forms_of(shown).json,
            person.person,
            jurisdiction,
            message.category,
            message.declared and message.declared.value,
        )
    )
    left_out = stage is Stage.ATTEMPT
    kept = msgspec.structs.replace(message, content=_NO_CONTENT) if left_out else message
    personal = PersonalPart(
        to=message.to,
        message=msgspec.Raw(_encoder.encode(kept)),
        facts=msgspec.Raw(_encoder.encode(facts)),
        content_left_out=left_out,
        reasons=reasons,
    )
    personal_part = encrypt(person, encode(personal))
    key = int(message.id[_ID_PREFIX:], 16)  # a stored message's: it has been read as one before
    return Entry(key, at_ms, open_part, personal_part, digest_of(open_part, personal_part), person)


def open_entry(record: AnyRecord, at_ms: int) -> Entry:
    """A record that has nothing personal."""
    open_part = encode(record)
    return Entry(0, at_ms, open_part, b"", digest_of(open_part, b""))


def _without(decision: Decision, texts: list[str]) -> tuple[Decision, dict[int, str]]:
    """The decision without these texts in its reasons, and the full reasons of those that had one."""
    reasons = forms_of(decision).reasons
    quoted = [text for text in texts if len(text) >= _QUOTED_MIN_CHARACTERS and text.lower() in reasons]
    if not quoted:
        return decision, {}
    quoted.sort(key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, quoted)), re.IGNORECASE)
    full: dict[int, str] = {}
    rules: list[RuleOutcome] = []
    for number, rule in enumerate(decision.rules):
        reason = pattern.sub(NOT_QUOTED, rule.reason)
        if reason != rule.reason:
            full[number] = rule.reason
            rule = msgspec.structs.replace(rule, reason=reason)
        rules.append(rule)
    return msgspec.structs.replace(decision, rules=tuple(rules)), full


def with_full_reasons(decision: Decision, reasons: dict[int, str]) -> Decision:
    """The decision as it was made."""
    if not reasons:
        return decision
    rules = [
        msgspec.structs.replace(rule, reason=reasons[number]) if number in reasons else rule
        for number, rule in enumerate(decision.rules)
    ]
    return msgspec.structs.replace(decision, rules=tuple(rules))

"""What was known of a message a moment ago, used again while nothing it depends on has changed.

A message is decided when it is accepted, at intake and before an attempt, mostly within a second. Reading the same rows
three times costs more than all the deciding. So whoever decides a message leaves the facts here for the next one, who
takes them, once, and decides anew from them: by the clock of that moment, and with a record of its own. Facts serve
only if

- nothing was written in between but steps of messages and what says of itself that it decides about nobody (marks,
  answers kept): `Records.changes` counts every other write to the records, of whatever kind, so that no writer can be
  forgotten;
- no news of the recipient came meanwhile, and where caps look at earlier messages, none of these changed either;
- the same rules are in force, who say what has to be looked up;
- they are at most `GOOD_FOR_MS` old. A queue shows a message again after more than that, so while there are facts of a
  message there is no second copy of it that could have brought it further.

Without them everything is read, as it is after a start, under a backlog, and for messages that were deferred.
"""

from __future__ import annotations

import msgspec

from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule_sets.rollout import Rules
from chappe.model.customer import Status
from chappe.pipeline.names import VISIBILITY_MS
from chappe.records.knowledge import Known
from chappe.records.store import Records

GOOD_FOR_MS = VISIBILITY_MS // 2
KEPT = 10_000
"""Messages of which facts are kept, about a kilobyte each."""

UNTRIED = {status: Known(status, 0) for status in (Status.ACCEPTED, Status.QUEUED)}
"""How far a message has come whose facts are still here: no attempt was made."""


class Mark(msgspec.Struct, frozen=True):
    """How much had changed at a moment; to be taken before anything is read."""

    changes: int
    news: int
    counted: int
    forgotten: int


class _Kept(msgspec.Struct, frozen=True):
    facts: Facts
    rules: Rules
    mark: Mark
    at_ms: int


class FreshFacts:
    """Facts by the key of the message. Use from one event loop."""

    def __init__(self, records: Records, kept: int = KEPT) -> None:
        self._records = records
        self._room = kept
        self._forgotten = 0
        self._kept: dict[int, _Kept] = {}

    def mark(self) -> Mark:
        """How much has changed until now."""
        records = self._records
        return Mark(records.changes, records.news.newest, records.messages.counted.newest, self._forgotten)

    def keep(self, key: int, facts: Facts, rules: Rules, mark: Mark, at_ms: int) -> None:
        """Leave facts for whoever decides this message next. `at_ms` is when they were read, `mark` from before."""
        if facts.registries:
            return  # what registries say grows old by itself
        if len(self._kept) >= self._room and not self._dropped_old(at_ms):
            return  # those that are here are decided first, and a backlog is what makes it full
        self._kept[key] = _Kept(facts, rules, mark, at_ms)

    def take(self, key: int, recipient: str, rules: Rules, now_ms: int, *, capped: bool) -> tuple[Facts, Mark] | None:
        """The facts of a message, if they are as good as read now, and how much had changed when they were.

        `recipient` is the `recipient_text`; `capped` says that earlier messages to the recipient matter. They are
        handed out once.
        """
        kept = self._kept.pop(key, None)
        if kept is None or kept.rules is not rules or not 0 <= now_ms - kept.at_ms <= GOOD_FOR_MS:
            return None
        records, mark = self._records, kept.mark
        if mark.changes != records.changes or mark.forgotten != self._forgotten:
            return None
        if records.news.has_of(recipient, mark.news):
            return None
        if capped and records.messages.counted.has_of(recipient, mark.counted):
            return None
        return kept.facts, mark

    def _dropped_old(self, now_ms: int) -> bool:
        """Make room, if there is anything that will not be used any more: the first was kept the longest ago."""
        dropped = False
        while self._kept:
            key = next(iter(self._kept))
            if 0 <= now_ms - self._kept[key].at_ms <= GOOD_FOR_MS:
                break
            del self._kept[key]
            dropped = True
        return dropped

    def forget(self) -> None:
        """Nothing kept so far is good any more, wherever it has been handed on to."""
        self._forgotten += 1
        self._kept.clear()

"""data_minimisation: no more of a person's data leaves than the message needs."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from chappe.compliance.content.redaction import Redaction, Sensitive, any_sensitive, found
from chappe.compliance.content.shown import Shown, shown
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import StandingRule
from chappe.model.customer import Content, CustomerMessage, RuleOutcome


class MinimisationParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`redact` is made unreadable, numbers but for their last `keep_last` digits.

    With `sectors` the rule binds only senders of one of these trades, and messages of that category. `agreement` is
    what everyone who handles such data must have signed.

    `log_body` is for readers only: content is never logged.
    """

    redact: tuple[Sensitive, ...]
    keep_last: Annotated[int, msgspec.Meta(ge=0, le=6)] = 0
    sectors: tuple[str, ...] = ()
    agreement: str | None = None
    log_body: bool = False


class MinimisationRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="data_minimisation"):
    """Makes what is too much unreadable."""

    parameters: MinimisationParameters

    @property
    def patterns(self) -> tuple[Any, ...]:
        return (any_sensitive(self.parameters.redact),)

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked = self.parameters
        if asked.sectors and message.category not in asked.sectors and not set(asked.sectors) & {*facts.sender.sectors}:
            return self.kept(f"the sender is not in {' or '.join(asked.sectors)}")
        if asked.agreement is not None and asked.agreement not in facts.sender.agreements:
            return self.broken(
                f"everyone who handles these data must have signed a {asked.agreement} agreement: make them, and name "
                "it in senders.NAME.agreements"
            )
        texts = _suspect_texts(message.content, any_sensitive(asked.redact))
        there = [what for what in asked.redact if any(found(text, what) for text in texts)] if texts else []
        if not there:
            return self.kept("nothing to make unreadable was found")
        names = ", ".join(what.value.replace("_", " ") for what in there)
        if self.action == "annotate":
            return self.broken(f"it contains {names}")
        return self.amended(
            f"{names} is made unreadable", *(Redaction(what, asked.keep_last).amendment for what in there)
        )


def _suspect_texts(content: Content, pattern: Any) -> list[str]:
    """The texts in which something may be that the pattern finds."""
    seen = shown(content)
    nothing_unseen = content.html is None and content.data is None and content.text in (None, *seen.bodies)
    if nothing_unseen and not seen.has(pattern):
        return []
    texts = _texts_of(content, seen)
    return [t for t in texts if t and not seen.lacks(t, pattern) and pattern.search(t) is not None]


def texts_of(content: Content) -> tuple[str, ...]:
    """Everything in the content that can be read, data and markup included."""
    return _texts_of(content, shown(content))


def _texts_of(content: Content, seen: Shown) -> tuple[str, ...]:
    raw = (content.html,) if content.html is not None else ()
    return tuple(dict.fromkeys((seen.subject, content.text or "", *seen.bodies, *raw, *_strings(content.data))))


def _strings(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, dict):
        return tuple(text for entry in value.values() for text in _strings(entry))
    if isinstance(value, list):
        return tuple(text for entry in value for text in _strings(entry))
    return ()

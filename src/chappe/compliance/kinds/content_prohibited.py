"""content_prohibited: what may not be sent at all, whoever agreed."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import msgspec

from chappe.compliance.content.patterns import compiled
from chappe.compliance.content.prohibited import any_subject, subjects_known, subjects_of
from chappe.compliance.content.shown import Shown, folded, shown
from chappe.compliance.content.templates import matches_template
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.facts.registries import registry_id
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.sender.profile import Registration
from chappe.model.customer import CustomerMessage, RuleOutcome
from chappe.model.jurisdictions import lineage

_LINK = r"https?://[^\s\"'<>]+|\bwww\.[^\s\"'<>]+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}/[^\s\"'<>]*"
_SHORTENERS = (
    r"(?:^|//|\b)(?:www\.)?(?:bit\.ly|tinyurl\.com|goo\.gl|t\.co|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly|t\.ly|"
    r"rb\.gy|tiny\.cc|bl\.ink|shorturl\.at|s\.id|v\.gd|soo\.gd|lnkd\.in|adf\.ly|shorte\.st|dlvr\.it|qr\.ae|x\.co)/"
)
_CALLBACK = r"\+?[0-9][0-9 ().-]{6,}[0-9]"


class ProhibitedParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is forbidden.

    `subjects` are matters by name: a message is about one if its `category` says so or its text matches the words
    kept for it. Those among `age_gated` may go to people known to be at least `age_min` years old. `patterns` are
    further RE2 patterns, case ignored. `links` false forbids every link, `shorteners` false those of public
    shortening services.

    With `register`, the text must match a template registered there (the message's own, if it names one), each of its
    variables at most `variable_characters_max` long, and, with `brand_name`, it must contain the sender's name; with
    `only_allowed_links` its links and telephone numbers must be entered there.
    """

    subjects: tuple[str, ...] = ()
    age_gated: tuple[str, ...] = ()
    age_min: Annotated[int, msgspec.Meta(ge=1, le=120)] | None = None
    patterns: tuple[str, ...] = ()
    links: bool = True
    shorteners: bool = True
    register: str | None = None
    template_match: bool = False
    variable_characters_max: Annotated[int, msgspec.Meta(ge=1)] | None = None
    brand_name: bool = False
    only_allowed_links: bool = False

    def __post_init__(self) -> None:
        unknown = [name for name in self.subjects if name not in subjects_known()]
        if unknown:
            raise ValueError(f"subjects: there are no words for {', '.join(unknown)}")
        if set(self.age_gated) - set(self.subjects):
            raise ValueError("age_gated: must be among the subjects")
        if bool(self.age_gated) != (self.age_min is not None):
            raise ValueError("age_min: goes with age_gated")
        if (self.template_match or self.only_allowed_links) and self.register is None:
            raise ValueError("register: name the register of the templates and links")
        for pattern in self.patterns:
            compiled(pattern)


class ProhibitedRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="content_prohibited"):
    """Blocks what may not be sent."""

    parameters: ProhibitedParameters

    @property
    def patterns(self) -> tuple[Any, ...]:
        asked = self.parameters
        patterns = [compiled(pattern) for pattern in asked.patterns]
        if asked.subjects:
            patterns.append(any_subject(asked.subjects))
        if not asked.shorteners:
            patterns.append(compiled(_SHORTENERS))
        if not asked.links or asked.only_allowed_links:
            patterns.append(compiled(_LINK))
        if asked.only_allowed_links:
            patterns.append(compiled(_CALLBACK))
        return tuple(patterns)

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        seen = shown(message.content)
        fault = (
            self._subject(message, seen, facts, now_ms)
            or self._pattern(seen)
            or self._template(message, seen, facts)
            or self._links(seen, facts)
        )
        return self.kept("nothing prohibited was found") if fault is None else self.broken(fault)

    def _subject(self, message: CustomerMessage, seen: Shown, facts: Facts, now_ms: int) -> str | None:
        asked = self.parameters
        if not asked.subjects:
            return None
        old_enough = asked.age_min is not None and _is_aged(facts.person.birth_date, asked.age_min, now_ms)
        for name in subjects_of(message.category, seen, asked.subjects):
            gated = name in asked.age_gated
            if gated and old_enough:
                continue
            condition = f" to anyone not known to be {asked.age_min}" if gated else ""
            return f"messages about {name.replace('_', ' ')} may not be sent{condition}"
        return None

    def _pattern(self, seen: Shown) -> str | None:
        asked = self.parameters
        for pattern in asked.patterns:
            if seen.has(compiled(pattern)):
                return f"the content matches {pattern}, which may not be sent"
        if not asked.shorteners and seen.has(compiled(_SHORTENERS)):
            return "it links through a public shortening service: use a domain of your own"
        if not asked.links and seen.has(compiled(_LINK)):
            return "links may not be sent"
        return None

    def _template(self, message: CustomerMessage, seen: Shown, facts: Facts) -> str | None:
        asked = self.parameters
        if not asked.template_match:
            return None
        templates = [template for entry in self._entries(facts) for template in entry.templates]
        if message.template is not None:
            templates = [template for template in templates if template.id == message.template]
        text = seen.bodies[0] if seen.bodies else ""
        if not any(matches_template(text, template.text, asked.variable_characters_max) for template in templates):
            return (
                f"the text matches no template registered with {asked.register}: enter it in "
                "senders.NAME.registrations, or change the text"
            )
        if asked.brand_name and not (facts.sender.name and folded(facts.sender.name) in folded(text)):
            return "the text must contain the sender's name: set senders.NAME.name, and register a template with it"
        return None

    def _links(self, seen: Shown, facts: Facts) -> str | None:
        asked = self.parameters
        if not asked.only_allowed_links or not (seen.has(compiled(_LINK)) or seen.has(compiled(_CALLBACK))):
            return None
        allowed = [link.casefold() for entry in self._entries(facts) for link in entry.allowed_links]
        for body in seen.bodies:
            for match in compiled(_LINK).finditer(body):
                link = match.group().casefold()
                bare = link.partition("://")[2] or link
                if not any(_is_under(bare, entry) for entry in allowed):
                    return f"the link {link} is not entered with {asked.register}: see senders.NAME.registrations"
            for match in compiled(_CALLBACK).finditer(compiled(_LINK).sub(" ", body)):
                digits = _digits(match.group())
                if not any(_digits(entry) and digits.endswith(_digits(entry)) for entry in allowed):
                    return f"the number {match.group()} is not entered with {asked.register}"
        return None

    def _entries(self, facts: Facts) -> list[Registration]:
        wanted = registry_id(self.parameters.register or "")
        return [
            entry
            for entry in facts.sender.registrations
            if registry_id(entry.register) == wanted and self.jurisdiction in lineage(entry.country)
        ]


def _is_under(link: str, allowed: str) -> bool:
    bare = allowed.partition("://")[2] or allowed
    bare = bare.rstrip("/")
    return link.rstrip("/") == bare or link.startswith((f"{bare}/", f"{bare}?"))


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _is_aged(birth_date: datetime.date | None, years: int, now_ms: int) -> bool:
    """Whether somebody is so old. Who was born on a 29 February is so on 1 March."""
    if birth_date is None:
        return False
    today = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC).date()
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    return today.year - birth_date.year - (0 if had_birthday else 1) >= years

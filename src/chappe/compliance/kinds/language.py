"""language: what a recipient is told has to be in a language of the place."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from chappe.compliance.content.languages import seems_to_have
from chappe.compliance.content.opt_out_means import means_of, named, statement, states
from chappe.compliance.content.shown import shown
from chappe.compliance.facts.recipient import Facts
from chappe.compliance.rule.base import StandingRule
from chappe.model.customer import Amendment, CustomerMessage, Place, RuleOutcome

Language = Annotated[str, msgspec.Meta(pattern="^[a-z]{2}$")]


class LanguageParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`must_include` are the languages (ISO 639-1), every one of them.

    `of` says of what: the whole `content`, or the `opt_out` statement, which is added in those that it lacks. With
    `unless_chosen` a recipient who is known to prefer another language is exempt.

    `not_less_prominent` is for readers only: how prominent a text is cannot be read off it.
    """

    must_include: tuple[Language, ...]
    of: Literal["content", "opt_out"] = "content"
    unless_chosen: bool = False
    not_less_prominent: bool = False

    def __post_init__(self) -> None:
        if not self.must_include:
            raise ValueError("must_include: name at least one language")


class LanguageRule(StandingRule, frozen=True, kw_only=True, tag_field="kind", tag="language"):
    """Adds a statement in the language, where that is what is asked; otherwise notes or blocks what lacks it."""

    parameters: LanguageParameters

    def judge(self, message: CustomerMessage, facts: Facts, now_ms: int) -> RuleOutcome:
        asked = self.parameters
        preferred = (facts.person.language or "").partition("-")[0].lower()
        if asked.unless_chosen and preferred and preferred not in asked.must_include:
            return self.kept(f"the recipient chose another language ({preferred})")
        return self._of_opt_out(message, facts) if asked.of == "opt_out" else self._of_content(message)

    def _of_content(self, message: CustomerMessage) -> RuleOutcome:
        declared = (message.language or "").partition("-")[0].lower()
        seen = shown(message.content)
        missing = [
            language
            for language in self.parameters.must_include
            if language != declared and not seems_to_have(language, (seen.subject, *seen.bodies))
        ]
        if not missing:
            return self.kept("the content is in the language of the place")
        return self.broken(f"the content is not known to be in {', '.join(missing)}: translate it, or say `language`")

    def _of_opt_out(self, message: CustomerMessage, facts: Facts) -> RuleOutcome:
        usable = means_of(facts, message)
        if not usable:
            return self.broken("no way to opt out is known: name one in senders.NAME.unsubscribe")
        seen = shown(message.content)
        missing = [language for language in self.parameters.must_include if not states(seen, usable, language)]
        if not missing:
            return self.kept("how to opt out is said in the language of the place")
        if self.action == "annotate":
            return self.broken(f"how to opt out is not said in {', '.join(missing)}")
        added = [Amendment(Place.TEXT_END, statement(usable[0], language)) for language in missing]
        return self.amended(f"how to opt out ({named(usable[0])}) is added in {', '.join(missing)}", *added)

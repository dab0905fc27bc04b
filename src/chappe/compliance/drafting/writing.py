"""Drafts as rule files: YAML that a person reads, each rule under the sentences it is from, with what is doubtful."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

import yaml

from chappe.compliance.drafting.proposal import Draft, Proposal, Unread

_WIDTH = 110
_HEAD = "Drafted by `chappe rules draft` from {source}. No person has checked it: compare each rule with its sentences."


def rule_file(proposals: Sequence[Proposal], draft: Draft) -> str:
    """A rule file of these proposals; what was not understood stands in comments at its end."""
    lines = [*_comment(_HEAD.format(source=draft.source)), "rules:" if proposals else "rules: []"]
    for proposal in proposals:
        lines += ["", *entry(proposal)]
    if draft.not_understood:
        lines += ["", *_comment("Not understood, though it may be a rule:")]
        lines += [line for unread in draft.not_understood for line in _unread(unread)]
    return "\n".join(lines) + "\n"


def entry(proposal: Proposal) -> list[str]:
    """The lines of one rule, as an entry of `rules:`."""
    lines = []
    for quoted in proposal.drafted_from:
        lines += _comment(f'line {quoted.line}: "{quoted.text}"')
    lines += _comment(f"confidence {proposal.confidence:.2f}")
    for doubt in proposal.doubts:
        lines += _comment(f"in doubt: {doubt}")
    text: str = yaml.safe_dump([proposal.rule], sort_keys=False, allow_unicode=True, width=_WIDTH)
    return [*lines, *text.rstrip("\n").split("\n")]


def appended(existing: str, proposals: Iterable[Proposal]) -> str:
    """A rule file with these rules at its end."""
    lines = [line for proposal in proposals for line in ("", *entry(proposal))]
    return existing.rstrip("\n") + "\n" + "\n".join(lines) + "\n"


def _unread(unread: Unread) -> list[str]:
    return _comment(f'line {unread.passage.line}: "{unread.passage.text}" ({unread.reason})')


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, _WIDTH - 2, break_long_words=False, break_on_hyphens=False)]

"""Free text: evidence from phrases, and the guards that take it back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from chappe.compliance.opt_out.normalising import Words
from chappe.compliance.opt_out.reply import Evidence, EvidenceKind, Intent, Scope
from chappe.compliance.opt_out.tables import Language


class Finding(msgspec.Struct, frozen=True):
    """Evidence and where it stands in a form of the text."""

    evidence: Evidence
    start: int
    end: int

    def touches(self, start: int, end: int) -> bool:
        """Whether it has a character in common with a span."""
        return self.start < end and start < self.end


def find_phrases(words: Words, languages: Iterable[Language]) -> list[list[Finding]]:
    """What the phrases of these languages find: in the words, and in the text without spaces."""
    spaced: list[Finding] = []
    compact: list[Finding] = []
    for language in languages:
        text, found = (words.spaced, spaced) if language.spaced else (words.compact, compact)
        for phrase in language.phrases:
            for match in phrase.pattern.finditer(text):
                if match.end() > match.start():
                    evidence = Evidence(
                        EvidenceKind.PHRASE, match[0].strip(), phrase.weight, phrase.intent, language.code
                    )
                    found.append(Finding(evidence, match.start(), match.end()))
    return [spaced, compact]


def placed(words: Words, evidence: Evidence) -> list[Finding]:
    """Evidence of a word, at each place where it stands in the text."""
    text = re.escape(evidence.text)
    matches = re.finditer(rf"(?<![^ ]){text}(?= |$)", words.spaced)
    return [Finding(evidence, match.start(), match.end()) for match in matches]


def guarded(findings: Sequence[Finding], words: Words, languages: Iterable[Language], *, spaced: bool) -> list[Finding]:
    """The findings, with those that a guard touches marked as taken back."""
    if not findings:
        return []
    text = words.spaced if spaced else words.compact
    guards = [
        (match.start(), match.end(), match[0].strip())
        for language in languages
        if language.spaced is spaced
        for guard in language.guards
        for match in guard.pattern.finditer(text)
    ]
    return [_taken_back(finding, guards) for finding in findings]


def _taken_back(finding: Finding, guards: Sequence[tuple[int, int, str]]) -> Finding:
    for start, end, text in guards:
        if finding.touches(start, end):
            old = finding.evidence
            evidence = Evidence(EvidenceKind.GUARDED, old.text, 0.0, old.intent, old.language, because=text)
            return Finding(evidence, finding.start, finding.end)
    return finding


def apart(findings: Iterable[Finding]) -> list[Finding]:
    """The weightiest findings that do not overlap: the same words count once."""
    chosen: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (-f.evidence.weight, f.start - f.end, f.start)):
        if not any(finding.touches(other.start, other.end) for other in chosen):
            chosen.append(finding)
    return chosen


def combined(evidence: Iterable[Evidence], intent: Intent) -> float:
    """How sure several pieces of evidence make together: 1 minus the product of what each leaves open."""
    doubt = 1.0
    for piece in evidence:
        if piece.intent is intent:
            doubt *= 1.0 - piece.weight
    return round(1.0 - doubt, 3)


def find_scope(words: Words, languages: Iterable[Language]) -> tuple[Scope, str] | None:
    """What the text says it is about, in its words: everything before advertising only."""
    found: dict[Scope, str] = {}
    for language in languages:
        text = words.spaced if language.spaced else words.compact
        for mark in language.scopes:
            match = mark.pattern.search(text)
            if match is not None and mark.scope is not None:
                found.setdefault(mark.scope, match[0].strip())
    for scope in (Scope.ALL, Scope.PROMOTIONAL, Scope.CHANNEL):
        if scope in found:
            return scope, found[scope]
    return None

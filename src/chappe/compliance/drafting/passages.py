"""A text cut into passages: its sentences, the items of its lists, the rows of its tables, the entries of its notices.

Each passage knows where it stands (characters from the start of the text, and the line, from 1) and what it hangs on:
the heading above it, and the words that introduce its list. A line that ends in the middle of a sentence is continued
by the next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from chappe.compliance.drafting.tables import is_row, read_table


class Shape(StrEnum):
    """What a passage is part of."""

    SENTENCE = "sentence"
    HEADING = "heading"
    ITEM = "item"
    ROW = "row"
    ENTRY = "entry"
    """`Key: value` in a notice."""


class Passage(msgspec.Struct, frozen=True):
    """`text` is as it was written, with its lines joined; `words` is what is read, and differs for rows of tables."""

    text: str
    words: str
    start: int
    end: int
    line: int
    shape: Shape
    label: str = ""
    """Its number: "Section 2 (1)"."""
    heading: str = ""
    lead: str = ""
    key: str = ""
    """Of an entry, in small letters."""

    @property
    def whole(self) -> str:
        """What it says, together with the words that introduce its list."""
        return f"{self.lead} {self.words}" if self.lead else self.words


class _Block(msgspec.Struct):
    start: int
    end: int
    marker: str = ""
    rank: str = ""
    after_blank: bool = True


_SECTION = (
    r"(?i:§+\s*\d[\d.]*[a-z]?\.?|(?:sections?|sec\.|articles?|art\.|rule|regulation|paragraph|part|title|chapter)\s+"
    r"(?:[a-z]\.\s*)?[\divx]+[\d.-]*)(?:\s*[-\u2013\u2014](?=\s))?(?=\s*[A-Z\"“(\u2013\u2014'])"
)
_MARKERS = (
    ("section", re.compile(_SECTION)),
    ("digits", re.compile(r"\(\d{1,3}[a-z]?\)(?=\s)")),
    ("letter", re.compile(r"\([a-z]{1,4}\)(?=\s)")),
    ("number", re.compile(r"\d{1,4}(?:(?:\.\d+)+|[.)]|(?=\s+\())(?=\s+[A-Z\"“(])|\d{1,3}(?=\s+[A-Z][a-z]+\s)")),
    ("bullet", re.compile(r"[*•‣·\u2013\u2014-](?=\s)")),
)
_ENTRY = re.compile(r"([A-Z][A-Za-z /()'-]{2,48}?)\s*:\s+(\S.*)")
_ENTRIES_MIN = 3
_NUMBER_WORD_END = re.compile(r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty)\s*$", re.I)
_HEADING_CHARACTERS_MAX = 140
_ENDING_CHARACTERS = 40
"""How much of the end of a line or sentence is looked at to see whether it goes on: a bound on the work."""
_SPACES = re.compile(r"\s+")
_BOUNDARY = re.compile(r"[.!?][\"”')]*\s+(?=[A-Z\"“(§\d])|;\s+(?=\S)")
_ABBREVIATED = re.compile(
    r"(?:\b(?:sec|art|no|nos|para|paras|reg|regs|ch|pt|cf|approx|max|min|inc|ltd|co|st|mr|mrs|dr|vs|e\.g"
    r"|i\.e|u\.s|u\.k)"
    r"|\b[A-Z]|§\s*\d+)\.$",
    re.IGNORECASE,
)
_CLOCK_END = re.compile(r"\b[ap]\.m\.$", re.IGNORECASE)
_AFTER_CLOCK = re.compile(
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(?:Eastern|Central|Mountain|Pacific|Indian|Gulf|Local"
    r"|E[SD]?T|IST|GMT)\b"
)
_NUMBERED_END = re.compile(r"(?:^|\b(?:sec|section|article|art|rule|chapter)\.?\s+)\d[\d.-]*\.$", re.IGNORECASE)


def passages(text: str) -> list[Passage]:
    """The passages of a text, in order."""
    return list(_Splitter(text).split())


def folded(text: str) -> str:
    """With every stretch of white space as one space."""
    return _SPACES.sub(" ", text).strip()


class _Splitter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._heading = ""
        self._lead = ""
        self._lead_rank = ""
        self._label = ""
        self._entry_lines = _entry_lines(text)

    def split(self) -> Iterator[Passage]:
        for block in self._blocks():
            raw = self._text[block.start : block.end]
            if block.rank == "table":
                yield from self._rows(block)
            elif block.rank == "entry":
                yield from self._entry(block)
            elif raw.strip():
                yield from self._prose(block)

    def _blocks(self) -> Iterator[_Block]:
        block: _Block | None = None
        position, after_blank = 0, True
        for number, line in enumerate(self._text.splitlines(keepends=True)):
            start, position = position, position + len(line)
            stripped = line.strip()
            if not stripped:
                if block:
                    yield block
                block, after_blank = None, True
                continue
            start += len(line) - len(line.lstrip())
            end = start + len(stripped)
            rank, marker = self._rank(stripped, number, block)
            if block and (rank == block.rank == "table" or not rank):
                block.end = end
                continue
            if block:
                yield block
            block, after_blank = _Block(start, end, marker, rank, after_blank), False
        if block:
            yield block

    def _rank(self, line: str, number: int, block: _Block | None) -> tuple[str, str]:
        """What a line begins, and its marker; an empty rank for a line that goes on or begins a plain paragraph."""
        if number in self._entry_lines:
            return "entry", ""
        if is_row(line):
            return "table", ""
        before = self._text[max(block.start, block.end - _ENDING_CHARACTERS) : block.end] if block else ""
        if _NUMBER_WORD_END.search(before):
            return "", ""
        rank, marker = "", ""
        while True:
            found = next(((name, m) for name, pattern in _MARKERS if (m := pattern.match(line[len(marker) :]))), None)
            if found is None:
                return ("", "") if not marker else (rank, marker)
            rank = rank or found[0]
            marker += found[1].group()
            marker += " " * (len(line[len(marker) :]) - len(line[len(marker) :].lstrip()))

    def _prose(self, block: _Block) -> Iterator[Passage]:
        raw = self._text[block.start + len(block.marker) : block.end]
        self._follow(block)
        if block.rank in ("", "section") and self._is_heading(raw):
            self._heading, self._lead = folded(raw), ""
            yield self._passage(block.start, block.end, Shape.HEADING)
            return
        start = block.start + len(block.marker)
        spans = list(_sentences(self._text, start, block.end))
        introduces = raw.rstrip().endswith(":")
        for index, (first, last) in enumerate(spans):
            if introduces and index == len(spans) - 1:
                self._lead, self._lead_rank = folded(self._text[first:last]).rstrip(":"), block.rank
                return
            yield self._passage(first, last, Shape.ITEM if self._lead or block.rank == "bullet" else Shape.SENTENCE)

    def _follow(self, block: _Block) -> None:
        if self._lead and (block.rank == self._lead_rank or not block.rank):
            self._lead = ""
        if block.rank in ("section", "number"):
            self._label = folded(block.marker).rstrip(" .-\u2013\u2014")
        elif block.rank in ("digits", "letter"):
            self._label = f"{self._label.partition(' (')[0]} {folded(block.marker)}".strip()

    def _is_heading(self, raw: str) -> bool:
        text = folded(raw)
        return len(text) <= _HEADING_CHARACTERS_MAX and not text.endswith((".", ";", ":", "?", "!", ","))

    def _entry(self, block: _Block) -> Iterator[Passage]:
        self._lead = ""
        found = _ENTRY.match(self._text[block.start : block.end])
        assert found is not None
        yield self._passage(block.start, block.end, Shape.ENTRY, key=found[1].lower())

    def _rows(self, block: _Block) -> Iterator[Passage]:
        for row in read_table(self._text[block.start : block.end]):
            start = block.start + row.start
            yield self._passage(start, start + row.length, Shape.ROW, words=row.words)

    def _passage(self, start: int, end: int, shape: Shape, *, words: str = "", key: str = "") -> Passage:
        text = folded(self._text[start:end])
        return Passage(
            text=text,
            words=words or text,
            start=start,
            end=end,
            line=self._text.count("\n", 0, start) + 1,
            shape=shape,
            label=self._label,
            heading=self._heading if shape is not Shape.HEADING else "",
            lead=self._lead,
            key=key,
        )


def _entry_lines(text: str) -> frozenset[int]:
    """The numbers of the lines that are entries of a notice: at least three follow each other."""
    found: set[int] = set()
    run: list[int] = []
    for number, line in enumerate([*text.splitlines(), ""]):
        if _ENTRY.fullmatch(line.strip()) and not is_row(line):
            run.append(number)
        else:
            if len(run) >= _ENTRIES_MIN:
                found.update(run)
            run = []
    return frozenset(found)


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    first = start
    for boundary in _BOUNDARY.finditer(text, start, end):
        stop = boundary.start() + 1
        before = text[max(first, stop - _ENDING_CHARACTERS) : stop]
        if _ABBREVIATED.search(before) and not _CLOCK_END.search(before):
            continue
        if _NUMBERED_END.search(before) or (_CLOCK_END.search(before) and _AFTER_CLOCK.match(text, boundary.end())):
            continue
        yield first, stop + len(boundary.group()[1:].rstrip())
        first = boundary.end()
    if text[first:end].strip():
        yield first, end

"""The corpus: message templates in text files, and a seeded generator that fills them.

A file `templates/<language>/<industry>.txt` has one template a line, `class[.kind]|channel|region|text`, where text may
have slots in braces; `#` begins a comment, and one that begins with `#hard` marks the lines after it, up to the next
comment, as hard cases. `slots.yaml` says what each slot may be filled with, by language or region.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import yaml

from chappe.classify.labels import Kind, Label
from chappe.model.errors import InvalidConfiguration

SLOT = re.compile(r"\{([a-z]+)\}")
CHANNELS = ("sms", "email", "push")
ANYWHERE = "*"
"""The region of a template that is for no country, and the place in the table of slots for every language."""


class Template(msgspec.Struct, frozen=True):
    """One template. `id` is its file and line. `region` is an ISO 3166 country or `*`. `part` is the end of the file's
    name, such as `-b`: files that share it were written by one hand.
    """

    id: str
    label: Label
    kind: Kind | None
    channel: str
    language: str
    industry: str
    region: str
    text: str
    hard: bool = False
    part: str = ""


class Filled(msgspec.Struct, frozen=True):
    """A message made from a template."""

    template: Template
    text: str


def read_templates(folder: Path) -> list[Template]:
    """All templates of a corpus, in the order of files and lines.

    Raises `InvalidConfiguration` naming every line that is wrong.
    """
    problems: list[str] = []
    templates: list[Template] = []
    for path in sorted(folder.glob("templates/*/*.txt")):
        hard = False
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.startswith("#"):
                hard = line.startswith("#hard")
            elif line.strip():
                try:
                    templates.append(_template(path, number, line, hard))
                except ValueError as error:
                    problems.append(f"{path.parent.name}/{path.name}:{number}: {error}")
    if problems or not templates:
        text = "\n  ".join(problems[:50]) or f"no templates in {folder}"
        raise InvalidConfiguration(f"the corpus cannot be used:\n  {text}", file=str(folder))
    return templates


def corpus_digest(folder: Path) -> str:
    """What names the content of a corpus: SHA-256 over its files and their names, shortened."""
    digest = hashlib.sha256()
    for path in [folder / "slots.yaml", *sorted(folder.glob("templates/*/*.txt"))]:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _template(path: Path, number: int, line: str, hard: bool) -> Template:
    parts = line.split("|")
    if len(parts) != 4:
        raise ValueError(f"want class[.kind]|channel|region|text, found {len(parts)} parts")
    name, channel, region, text = parts
    label, _, kind = name.partition(".")
    if channel not in CHANNELS:
        raise ValueError(f"unknown channel {channel!r}; known are {', '.join(CHANNELS)}")
    if (label == Label.TRANSACTIONAL) != bool(kind):
        raise ValueError("a transactional template has a kind, another none")
    if not re.fullmatch(r"\*|[A-Z]{2}", region):
        raise ValueError(f"region {region!r} is neither * nor a country code")
    if not text.strip():
        raise ValueError("the text is empty")
    return Template(
        id=f"{path.parent.name}/{path.stem}:{number}",
        label=Label(label),
        kind=Kind(kind) if kind else None,
        channel=channel,
        language=path.parent.name,
        industry=_PART.sub("", path.stem),
        region=region,
        text=text.replace("\\n", "\n"),
        hard=hard,
        part=found[0] if (found := _PART.search(path.stem)) else "",
    )


class Filler:
    """Fills slots. The same seed, template and number give the same text, whatever was filled before."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        table = yaml.safe_load((folder / "slots.yaml").read_text(encoding="utf-8"))
        self._by_place: Mapping[str, Mapping[str, Sequence[str]]] = table
        self.seed = seed

    def fill(self, template: Template, number: int = 0) -> str:
        """The template's text with every slot filled. Raises `InvalidConfiguration` for a slot that is unknown."""
        chance = random.Random(f"{self.seed}/{template.id}/{number}")  # noqa: S311 - repeatable, not secret
        text = _FORMS.sub(lambda form: _digits(form[0], chance), template.text)
        return self._fill(text, template, chance, depth=0)

    def _fill(self, text: str, template: Template, chance: random.Random, depth: int) -> str:
        if "{" not in text or depth > 3:
            return text
        return SLOT.sub(lambda slot: self._value(slot[1], template, chance, depth), text)

    def _value(self, slot: str, template: Template, chance: random.Random, depth: int) -> str:
        country = () if template.region == ANYWHERE else (template.region,)
        for place in (*country, template.language, ANYWHERE):
            values = self._by_place.get(place, {}).get(slot)
            if values:
                return self._fill(_digits(chance.choice(values), chance), template, chance, depth + 1)
        raise InvalidConfiguration(f"{template.id}: there is no slot {{{slot}}}", slot=slot)


_PART = re.compile(r"-[a-z0-9]$")
"""A letter at the end of a file's name: the templates of one industry in several files."""
_FORMS = re.compile("##+")
"""Digits in the text of a template; a single # may be anything."""
_DIGITS = re.compile("#")
_LETTERS = re.compile("@@")


def _digits(value: str, chance: random.Random) -> str:
    """`#` stands for a digit, `@@` for a letter or digit (of a link or a reference)."""
    value = _DIGITS.sub(lambda _: chance.choice("0123456789"), value)
    return _LETTERS.sub(lambda _: chance.choice("abcdefghjkmnpqrstuvwxyz23456789ABCDEFGHKLMNP"), value)


def generate(templates: Sequence[Template], filler: Filler, count: int) -> Iterator[Filled]:
    """So many messages, one at a time: the templates in turn, in an order drawn anew for every round."""
    made = 0
    round_number = 0
    while made < count:
        order = list(templates)
        random.Random(f"{filler.seed}/{round_number}").shuffle(order)  # noqa: S311 - repeatable, not secret
        for template in order[: count - made]:
            yield Filled(template, filler.fill(template, round_number))
        made += len(order)
        round_number += 1

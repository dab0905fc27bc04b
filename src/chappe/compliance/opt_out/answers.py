"""What is answered to a person who said STOP, START or HELP: short texts by language, without advertising."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec
import yaml

from chappe.compliance.opt_out.reply import Intent
from chappe.compliance.packaged_tables import parse_table
from chappe.model.errors import InvalidConfiguration

FALLBACK = "en"
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The texts of one language. `{brand}` and `{support}` are put in; `support` is the sentence that `help` holds."""

    opt_out: _Text
    opt_in: _Text
    help: _Text
    support: _Text

    def text(self, intent: Intent, brand: str, support: str | None) -> str:
        """What is said in answer to this intent."""
        written = {Intent.OPT_OUT: self.opt_out, Intent.OPT_IN: self.opt_in, Intent.HELP: self.help}[intent]
        sentence = self.support.replace("{support}", support) if support else ""
        return " ".join(written.replace("{support}", sentence).replace("{brand}", brand).split())


AnswersByLanguage = Mapping[str, Answers]


@cache
def packaged_answers() -> AnswersByLanguage:
    """The texts that come with Chappe."""
    file = files("chappe.compliance.opt_out") / "answers.yaml"
    return _decoded(file.read_text(encoding="utf-8"), file.name)


def read_answers(path: Path) -> AnswersByLanguage:
    """The texts of a file, by language, with the packaged ones for languages that it leaves out.

    Raises `InvalidConfiguration`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(f"{path}: cannot be read: {error}", source=str(path)) from error
    return {**packaged_answers(), **_decoded(text, str(path))}


def choose_answers(answers: AnswersByLanguage, languages: Sequence[str]) -> Answers:
    """The texts of the first of these languages that there are texts in."""
    return next((answers[language] for language in languages if language in answers), answers[FALLBACK])


def _decoded(text: str, name: str) -> dict[str, Answers]:
    try:
        return msgspec.convert(parse_table(text), dict[str, Answers])
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise InvalidConfiguration(f"{name}: {error}", source=name) from error

"""What the rules require of the content, carried out just before it is handed over.

The message as it was accepted never changes: each attempt makes what is sent from it anew, so nothing is added twice.
What already stands where it should is left there. The order is fixed: first everything is redacted that is to be, then
the additions go in, so that they are never masked themselves.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from chappe.compliance.content.opt_out_means import UNSUBSCRIBE_URL
from chappe.compliance.content.redaction import Redaction, found, redacted
from chappe.compliance.content.shown import folded, visible_text
from chappe.model.customer import Amendment, Channel, Content, Place
from chappe.pipeline.delivery.sms_length import sms_parts

_LINE_BREAK = "\n"
_BODY_START = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_BODY_ENDS = (re.compile(r"</body\s*>", re.IGNORECASE), re.compile(r"</html\s*>", re.IGNORECASE))


def amended(
    content: Content, amendments: Sequence[Amendment], channel: Channel, unsubscribe_url: str | None = None
) -> Content:
    """The content as it is sent. Pure, and of no effect on what it has returned."""
    if not amendments:
        return content
    placed = [_with_link(amendment, unsubscribe_url) for amendment in amendments]
    redactions = [Redaction.of(entry) for entry in placed if entry.place is Place.REDACTION]
    if redactions:
        content = _redacted(content, redactions)
    starts, ends = _texts(placed, Place.TEXT_START), _texts(placed, Place.TEXT_END)
    subject = content.subject
    prefixes = _texts(placed, Place.SUBJECT_START)
    if prefixes:
        subject = _joined(prefixes, _without_starts(subject or "", prefixes), " ").rstrip()
    if not starts and not ends:
        return msgspec.structs.replace(content, subject=subject)
    text, markup = content.text, content.html
    if text is None and markup is None:
        text = ""
    return msgspec.structs.replace(
        content,
        subject=subject,
        text=None if text is None else _framed(text, starts, ends, "\n\n" if channel is Channel.EMAIL else "\n"),
        html=None if markup is None else _framed_markup(markup, starts, ends),
    )


def length_note(before: Content, after: Content, channel: Channel) -> str | None:
    """What the amendments did to the length of a text message, if anything that is billed."""
    if channel is not Channel.SMS or before.text == after.text:
        return None
    was, now = sms_parts(before.text or ""), sms_parts(after.text or "")
    return None if was == now else f"sent in {now} parts instead of {was} with what the rules add"


def _with_link(amendment: Amendment, unsubscribe_url: str | None) -> Amendment:
    if UNSUBSCRIBE_URL not in amendment.text or unsubscribe_url is None:
        return amendment
    return Amendment(amendment.place, amendment.text.replace(UNSUBSCRIBE_URL, unsubscribe_url))


def _texts(amendments: Iterable[Amendment], place: Place) -> list[str]:
    """What goes to a place, each once; what is part of another is left out."""
    texts = list(dict.fromkeys(entry.text.strip() for entry in amendments if entry.place is place))
    return [
        text for text in texts if text and not any(text != other and folded(text) in folded(other) for other in texts)
    ]


def _framed(text: str, starts: Sequence[str], ends: Sequence[str], gap: str) -> str:
    body = _without_starts(_without_ends(text, ends), starts)
    framed = _joined(starts, body, " ")
    shown = folded(framed)
    tail = [end for end in ends if folded(end) not in shown]
    if not tail:
        return framed
    framed = framed.rstrip()
    return f"{framed}{gap if framed else ''}{_LINE_BREAK.join(tail)}"


def _without_starts(text: str, starts: Sequence[str]) -> str:
    """The text without the starts that it has already, in whatever order."""
    longest_first = sorted(starts, key=len, reverse=True)
    rest = text
    while True:
        bare = rest.lstrip()
        start = next((start for start in longest_first if _begins_with(bare, start)), None)
        if start is None:
            return text if rest is text else bare
        rest = bare[len(start) :]


def _begins_with(text: str, start: str) -> bool:
    """Whether these words begin the text: `Acme` does not begin `Acmeville`."""
    after = text[len(start) : len(start) + 1]
    return text.startswith(start) and not (start[-1].isalnum() and after.isalnum() and after.isascii())


def _without_ends(text: str, ends: Sequence[str]) -> str:
    longest_first = sorted(ends, key=len, reverse=True)
    rest = text
    while True:
        bare = rest.rstrip()
        end = next((end for end in longest_first if bare == end or bare.endswith(f"\n{end}")), None)
        if end is None:
            return text if rest is text else bare
        rest = bare[: len(bare) - len(end)]


def _joined(starts: Sequence[str], text: str, gap: str) -> str:
    if not starts:
        return text
    return gap.join((*starts, text.lstrip())) if text.strip() else gap.join(starts)


def _framed_markup(markup: str, starts: Sequence[str], ends: Sequence[str]) -> str:
    shown = folded(visible_text(markup))
    heads = [start for start in starts if not shown.startswith(folded(start))]
    if heads and not shown.startswith(folded(" ".join(starts))):
        opening = _BODY_START.search(markup)
        at = opening.end() if opening else 0
        markup = f"{markup[:at]}<p>{'<br>'.join(_escaped(start) for start in starts)}</p>{markup[at:]}"
    tail = [end for end in ends if folded(end) not in shown]
    if tail:
        at = _body_end(markup)
        markup = f"{markup[:at]}<p>{'<br>'.join(_escaped(end) for end in tail)}</p>{markup[at:]}"
    return markup


def _body_end(markup: str) -> int:
    """Where the last element of the body ends; the end of the text where no body is closed."""
    for pattern in _BODY_ENDS:
        closings = list(pattern.finditer(markup))
        if closings:
            return closings[-1].start()
    return len(markup)


_URL = re.compile(r"https?://[^\s<>\"']+")


def _escaped(text: str) -> str:
    """Plain text as HTML, its links made links."""
    parts, done = [], 0
    for match in _URL.finditer(text):
        url = html.escape(match.group())
        parts += [html.escape(text[done : match.start()]), f'<a href="{url}">{url}</a>']
        done = match.end()
    return "".join((*parts, html.escape(text[done:])))


def _redacted(content: Content, redactions: Sequence[Redaction]) -> Content:
    return Content(
        subject=None if content.subject is None else redacted(content.subject, redactions),
        text=None if content.text is None else redacted(content.text, redactions),
        html=None if content.html is None else _redacted_markup(content.html, redactions),
        data=None if content.data is None else _redacted_data(content.data, redactions),
    )


def _redacted_markup(markup: str, redactions: Sequence[Redaction]) -> str:
    """HTML without what is asked. Where tags or entities hide it from the patterns, the markup goes and the text stays:
    a plain page is better than a number in the clear.
    """
    markup = redacted(markup, redactions)
    shown = visible_text(markup)
    if any(found(shown, redaction.what) for redaction in redactions):
        return f"<p>{html.escape(redacted(shown, redactions))}</p>"
    return markup


def _redacted_data(value: Any, redactions: Sequence[Redaction]) -> Any:
    if isinstance(value, str):
        return redacted(value, redactions)
    if isinstance(value, dict):
        return {name: _redacted_data(entry, redactions) for name, entry in value.items()}
    if isinstance(value, list):
        return [_redacted_data(entry, redactions) for entry in value]
    return value

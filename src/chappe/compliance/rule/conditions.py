"""Conditions of rules: expressions in CEL, the Common Expression Language, that say when a rule binds.

A condition is compiled and type-checked when its rule is read and asked once per message. It sees the `VARIABLES` and
nothing else, performs no I/O and reads no clock. What it can cost is bounded: by `MAX_CHARACTERS` here, by
`MAX_TEXT_BYTES` of content, and by the runtime, which ends an evaluation after 10,000 iterations, nests no deeper than
32 and matches regular expressions (RE2) in linear time.

A condition that cannot be answered (a comparison with something unknown, a key that is not there) takes the strict
side: the rule binds, says why, and the failure is counted.

The language: https://github.com/google/cel-spec. The implementation is that of the CEL project itself
(`cel-expr-python`, over its C++ runtime), because it is the one that checks types before anything is evaluated.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import msgspec
from cel_expr_python import cel

from chappe.compliance.facts.recipient import Facts
from chappe.model.customer import CustomerMessage, RuleOutcome

MAX_CHARACTERS = 2_000
MAX_TEXT_BYTES = 65_536
"""A condition on `message.content.text` or `.subject` is not asked about longer ones: it takes the strict side."""
_DAY_MS = 86_400_000
_FURTHEST_BEHIND_UTC = datetime.timedelta(hours=12)

_Value = Callable[[CustomerMessage, Facts, int], Any]
_NULLABLE = {
    "string": "google.protobuf.StringValue",
    "int": "google.protobuf.Int64Value",
    "bool": "google.protobuf.BoolValue",
}


class _HasCondition(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def condition(self) -> str | None: ...


class TooLong(Exception):
    """The content is longer than a condition may look at."""


class Variable(msgspec.Struct, frozen=True):
    """Something a condition can name. One that is `nullable` is null where nothing is known."""

    name: str
    type: str
    says: str
    value: _Value
    nullable: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """Whether the rule binds. `failure` says why the condition could not be answered; the rule binds then."""

    holds: bool
    failure: str = ""


class Condition:
    """A compiled condition. Safe to share between threads. `failures` counts what could not be answered."""

    def __init__(self, text: str) -> None:
        """Raises `ValueError` saying what is wrong and where."""
        self.text = text
        self.failures = 0
        self._expression = _compiled(text)
        named = _AROUND_DOTS.sub(".", text)
        self._variables = tuple(variable for variable in VARIABLES if variable.name in named)

    def ask(self, message: CustomerMessage, facts: Facts, now_ms: int) -> Verdict:
        """Whether the rule binds this message. Never raises."""
        failure = ""
        try:
            data = {variable.name: variable.value(message, facts, now_ms) for variable in self._variables}
            answer = self._expression.eval(data=data)
            kind = answer.type()
            if kind == cel.Type.BOOL:
                return _BINDS if answer.value() else _DOES_NOT_BIND
            # The value of a null is not asked for: version 0.1.3 then gives away a reference to None it does not own.
            failure = _failure(str(answer.value())) if kind == cel.Type.ERROR else "it came to null"
        except TooLong:
            failure = f"the content is longer than {MAX_TEXT_BYTES} bytes"
        except (RuntimeError, ValueError, OverflowError) as error:
            failure = _failure(str(error))
        self.failures += 1
        return Verdict(True, failure)


_AROUND_DOTS = re.compile(r"\s*\.\s*")
_BINDS = Verdict(True)
_DOES_NOT_BIND = Verdict(False)


@lru_cache(maxsize=4_096)
def condition_of(text: str) -> Condition:
    """The condition, compiled once however many rules and rule sets have it. Raises `ValueError`."""
    return Condition(text)


class Conditional(msgspec.Struct, frozen=True):
    """A rule, by its id, and its condition."""

    rule_id: str
    condition: Condition

    @classmethod
    def of(cls, rule: _HasCondition) -> Conditional:
        """The condition of a rule that has one."""
        assert rule.condition is not None
        return cls(rule.id, condition_of(rule.condition))


def answers(
    conditional: Sequence[Conditional], message: CustomerMessage, facts: Facts, now_ms: int
) -> tuple[frozenset[str], dict[str, str]]:
    """The rules that do not bind the message; and why the conditions that could not be answered could not."""
    unbound, failures = [], {}
    for entry in conditional:
        verdict = entry.condition.ask(message, facts, now_ms)
        if not verdict.holds:
            unbound.append(entry.rule_id)
        elif verdict.failure:
            failures[entry.rule_id] = verdict.failure
    return frozenset(unbound), failures


def explained(outcomes: Iterable[RuleOutcome], failures: Mapping[str, str]) -> list[RuleOutcome]:
    """The outcomes, saying of which rules it could not be told whether they bind."""
    return [
        msgspec.structs.replace(
            outcome,
            reason=f"{outcome.reason} (its condition could not be answered, so it is taken to bind: "
            f"{failures[outcome.id]})",
        )
        if outcome.id in failures
        else outcome
        for outcome in outcomes
    ]


def check_condition(text: str) -> None:
    """Raises `ValueError` if the text cannot be used as a condition."""
    condition_of(text)


def _text(value: str | None) -> str | None:
    if value is not None and (len(value) > MAX_TEXT_BYTES or len(value.encode()) > MAX_TEXT_BYTES):
        raise TooLong
    return value


def _moment(now_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC)


def _age_years(facts: Facts, now_ms: int) -> int | None:
    """Complete years, on the day that it is where the day begins last."""
    born = facts.person.birth_date
    if born is None:
        return None
    today = (_moment(now_ms) - _FURTHEST_BEHIND_UTC).date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _days_since(at_ms: int | None, now_ms: int) -> int | None:
    return None if at_ms is None else (now_ms - at_ms) // _DAY_MS


def _country(facts: Facts) -> str | None:
    return None if facts.jurisdiction is None else facts.jurisdiction.partition("-")[0]


VARIABLES: tuple[Variable, ...] = (
    Variable("message.channel", "string", "email, sms, push, webhook, voice, in_app", lambda m, f, n: m.channel.value),
    Variable("message.purpose", "string", "transactional or promotional", lambda m, f, n: m.purpose.value),
    Variable("message.category", "string", "the category that was declared", lambda m, f, n: m.category, True),
    Variable("message.sender", "string", "who it is from, as given", lambda m, f, n: m.sender, True),
    Variable("message.template", "string", "the registered template", lambda m, f, n: m.template, True),
    Variable("message.event", "string", "the event it tells of", lambda m, f, n: m.event, True),
    Variable("message.language", "string", "BCP 47", lambda m, f, n: m.language, True),
    Variable("message.metadata", "map(string, string)", "the caller's labels", lambda m, f, n: m.metadata or {}),
    Variable("message.content.subject", "string", "the subject", lambda m, f, n: _text(m.content.subject), True),
    Variable("message.content.text", "string", "the plain text", lambda m, f, n: _text(m.content.text), True),
    Variable("recipient.address", "string", "the address it goes to", lambda m, f, n: m.to.address),
    Variable("recipient.jurisdiction", "string", "ISO 3166: US, US-FL", lambda m, f, n: f.jurisdiction, True),
    Variable("recipient.country", "string", "the country of the jurisdiction", lambda m, f, n: _country(f), True),
    Variable("recipient.zones", "list(string)", "IANA zones the recipient may be in", lambda m, f, n: list(f.zones)),
    Variable("person.age", "int", "complete years", lambda m, f, n: _age_years(f, n), True),
    Variable("person.language", "string", "BCP 47", lambda m, f, n: f.person.language, True),
    Variable("person.is_business", "bool", "the address is a company's", lambda m, f, n: f.person.is_business, True),
    Variable(
        "person.customer_for_days",
        "int",
        "days since the person became a customer",
        lambda m, f, n: _days_since(f.person.customer_since_ms, n),
        True,
    ),
    Variable(
        "person.days_since_purchase",
        "int",
        "days since the last purchase",
        lambda m, f, n: _days_since(f.person.last_purchase_ms, n),
        True,
    ),
    Variable(
        "person.days_since_inquiry",
        "int",
        "days since the last inquiry",
        lambda m, f, n: _days_since(f.person.last_inquiry_ms, n),
        True,
    ),
    Variable("person.restricted", "bool", "asked that the data not be used", lambda m, f, n: f.person.restricted),
    Variable("now", "timestamp", "the moment of the decision", lambda m, f, n: _moment(n)),
)


_TYPES = {
    "string": cel.Type.STRING,
    "int": cel.Type.INT,
    "bool": cel.Type.BOOL,
    "timestamp": cel.Type.TIMESTAMP,
    "list(string)": cel.Type.List(cel.Type.STRING),
    "map(string, string)": cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
}


def _checking_type(variable: Variable) -> cel.Type:
    return cel.Type(_NULLABLE[variable.type]) if variable.nullable else _TYPES[variable.type]


def _running_type(variable: Variable) -> cel.Type:
    # The runtime takes a plain value or null for a variable of any type, but not for one of a wrapper type.
    return cel.Type.DYN if variable.nullable else _TYPES[variable.type]


_CHECKING = cel.NewEnv(variables={variable.name: _checking_type(variable) for variable in VARIABLES})
_RUNNING = cel.NewEnv(variables={variable.name: _running_type(variable) for variable in VARIABLES})
_PATTERN = re.compile(
    r"""\bmatches\s*\(\s*(?:[^,()"']+,\s*)?(?P<literal>[rR]?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))"""
)


def _compiled(text: str) -> cel.Expression:
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"the condition has {len(text)} characters; at most {MAX_CHARACTERS} are allowed")
    try:
        checked = _CHECKING.compile(text)
        compiled = _RUNNING.compile(text)
    except RuntimeError as error:
        raise ValueError(_complaint(str(error))) from None
    if checked.return_type() != cel.Type.BOOL and checked.return_type() != cel.Type(_NULLABLE["bool"]):
        raise ValueError(f"the condition must come to true or false, not to {checked.return_type().name().lower()}")
    _check_patterns(text)
    return compiled


def _check_patterns(text: str) -> None:
    """Patterns written in the expression are known now; those put together when it runs are not."""
    for found in _PATTERN.finditer(text):
        answer = _RUNNING.compile(f'"".matches({found["literal"]})').eval().value()
        if answer is not False and answer is not True:
            raise ValueError(f"at character {found.start('literal') + 1}: {_first_line(str(answer))}")


_ERROR = re.compile(r"ERROR: <input>:(?P<line>\d+):(?P<column>\d+): (?P<text>[^\n]*)")
_STATUS = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$| \(in container ''\)")


def _complaint(told: str) -> str:
    """What the compiler says of the text, each complaint with its place."""
    found = [
        f"line {error['line']}, character {error['column']}: {_STATUS.sub('', error['text'])}"
        for error in _ERROR.finditer(told)
    ]
    return "; ".join(found[:5]) or _first_line(told)


# What the runtime says may quote the content, which a reason must not.
_FAILURES = (
    ("No matching overloads", "it asks about something that is not known"),
    ("Key not found", "it asks for a key that is not there"),
    ("invalid regular expression", "a pattern is not valid"),
    ("divide by zero", "it divides by zero"),
    ("modulus by zero", "it divides by zero"),
    ("budget", "it takes too many steps"),
    ("overflow", "a number is too large"),
    ("timezone", "a time zone is unknown"),
)


def _failure(told: str) -> str:
    return next((says for part, says in _FAILURES if part in told), "it failed")


def _first_line(told: str) -> str:
    return _STATUS.sub("", told.partition("\n")[0])[:300]

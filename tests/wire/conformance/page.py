"""docs/sqs-conformance.md, made from the table of behaviours and the service model."""

from __future__ import annotations

from itertools import groupby

from tests.wire.conformance.behaviours import BESIDE, EVERYWHERE, OPERATIONS, Behaviour
from tests.wire.conformance.declared_errors import declared, why_never
from tests.wire.query_model import ERRORS

_HEAD = """\
# How close to Amazon SQS

<!-- Made by `make docs`; change tests/wire/conformance/behaviours.py. -->

Every operation, in both protocols (AWS JSON 1.0 and the older Query protocol with XML answers). Each line is shown by
tests in `tests/wire/`, which run once in each protocol. *Exact* means: as the service was recorded or is documented to
do. Texts of errors are those of the service where they are known. These are not known, and are our own words:

- StartMessageMoveTask: a rate out of range, a destination that is the source or of another type.
- CancelMessageMoveTask of a task that is over (answered as if it had never been).
- AddPermission: a label of other characters, more than 20 statements.
- TagQueue: values that are too long, keys that begin with `aws:`.
- Parameters of the Query protocol that cannot be read (`MalformedInput`), JSON that cannot (`SerializationException`).
"""
_ERRORS_HEAD = """\
## Errors

Each error that the service model declares, by operation.

| operation | given | never given |
|---|---|---|
"""
_REASONS_HEAD = """
Why some are never given:

"""


def render() -> str:
    """The whole page."""
    parts = [_HEAD, _section("All operations", EVERYWHERE)]
    parts += [_section(name, behaviours) for name, behaviours in sorted(OPERATIONS.items())]
    parts += [_section("Beside SQS", BESIDE), _errors()]
    return "\n".join(parts)


def _section(title: str, behaviours: list[Behaviour]) -> str:
    lines = [f"## {title}", "", "| behaviour | |", "|---|---|"]
    lines += [f"| {each.text} | {f'differs: {each.differs}' if each.differs else 'exact'} |" for each in behaviours]
    return "\n".join((*lines, ""))


def _errors() -> str:
    rows = []
    reasons = set()
    for operation, pairs in groupby(declared(), key=lambda pair: pair[0]):
        given, never = [], []
        for _, error in pairs:
            reason = why_never(operation, error)
            if reason is None:
                given.append(f"{error} ({ERRORS[error][1]})" if error in ERRORS else f"{error} (400)")
            else:
                never.append(error)
                reasons.add((error, reason))
        rows.append(f"| {operation} | {', '.join(given)} | {', '.join(never)} |")
    told = [f"- {error}: {reason}." for error, reason in sorted(reasons)]
    return _ERRORS_HEAD + "\n".join(rows) + "\n" + _REASONS_HEAD + "\n".join(told) + "\n"

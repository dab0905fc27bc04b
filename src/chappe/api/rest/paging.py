"""Pages of a list: at most `limit` entries, newest first, and a cursor for the next ones.

A cursor is the id of the last entry, so it stays valid whatever is added or removed meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping

from chappe.api.rest.errors import InvalidParameter
from chappe.records import ids

LIMIT_DEFAULT = 50
LIMIT_MAX = 500


def limit_of(query: Mapping[str, str], *, default: int = LIMIT_DEFAULT, most: int = LIMIT_MAX) -> int:
    """How many entries were asked for. Raises `InvalidParameter`."""
    given = query.get("limit")
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 10 and 1 <= int(given) <= most):
        raise InvalidParameter(f"limit must be 1 to {most}.", parameter="limit")
    return int(given)


def cursor_of(query: Mapping[str, str], prefix: str) -> int | None:
    """The key that the last page ended with. Raises `InvalidParameter`."""
    given = query.get("cursor")
    if given is None:
        return None
    key = ids.parse_key(prefix, given)
    if key is None:
        raise InvalidParameter("cursor must be the next_cursor of the page before.", parameter="cursor")
    return key

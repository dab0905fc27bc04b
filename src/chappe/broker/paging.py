"""Lists in pages. A token is the engine's name of the last queue that was told."""

from __future__ import annotations

import base64
import binascii

from chappe.broker.errors import InvalidParameterValue, invalid_value

PAGE_MAX = 1000


def page_size(max_results: int | None) -> int:
    if max_results is None:
        return PAGE_MAX
    if not 1 <= max_results <= PAGE_MAX:
        raise invalid_value("MaxResults", max_results, f"Must be between 1 and {PAGE_MAX}, if provided.")
    return max_results


def page_token(engine_name: str) -> str:
    return base64.urlsafe_b64encode(engine_name.encode()).decode()


def page_start(token: str | None, mine: str) -> str:
    """After which name to go on. `mine` is how the names of all queues begin that the caller may see."""
    if not token:
        return ""
    try:
        start = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        start = ""
    if not start.startswith(mine):
        raise InvalidParameterValue("Invalid or expired next token.")
    return start

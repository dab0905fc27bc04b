"""Why an address is suppressed, where a person's own request is the reason."""

from __future__ import annotations

BY_REPLY = "the person asked by a reply not to be written to"
UNDER_REVIEW = "a reply that may be an opt-out is being looked at"
BY_LINK = "unsubscribed by one click"

OWN_REQUESTS = frozenset({BY_REPLY, UNDER_REVIEW, BY_LINK})
"""Someone who asked to stop still gets the confirmation of that, and help when asking for it."""

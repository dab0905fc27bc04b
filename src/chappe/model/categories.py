"""Categories of messages that the server itself sends. Callers cannot claim them."""

from __future__ import annotations

OPT_OUT_CONFIRMATION = "opt_out_confirmation"
"""Tells a person once that an opt-out took effect."""
OPT_IN_CONFIRMATION = "opt_in_confirmation"
"""Tells a person who said START that messages will come again."""
HELP_REPLY = "help_reply"
"""The answer to HELP, which people get who have opted out as well."""

ANSWERS = frozenset({OPT_OUT_CONFIRMATION, OPT_IN_CONFIRMATION, HELP_REPLY})
"""Answers to what a person has just sent."""

"""E-mail addresses and domains as lists write them, to the text that is hashed."""

from __future__ import annotations

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

_PLAIN_LOCAL_PART = re.compile(r"[A-Za-z0-9_+-]{1,64}(\.[A-Za-z0-9_+-]{1,64}){0,4}", re.ASCII)
_PLAIN_CHARACTERS_MAX = 64
"""Below every limit of length, for the local part as for the whole."""


def read_address(text: str) -> str:
    """`ann@example.com` for an address, `@example.com` for `example.com` or `@example.com`; in lower case.

    Raises `ValueError`, which says what is wrong and does not repeat the address.
    """
    local_part, at, domain = text.strip().rpartition("@")
    if not at or not local_part:
        return "@" + _domain(domain)
    if len(text) <= _PLAIN_CHARACTERS_MAX and _PLAIN_LOCAL_PART.fullmatch(local_part):
        return f"{local_part}@{_domain(domain)}".lower()
    return _validated(text.strip()).lower()


@lru_cache(maxsize=16_384)
def _domain(domain: str) -> str:
    return _validated("a@" + domain).removeprefix("a@").lower()


def _validated(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False, strict=True).normalized
    except EmailNotValidError:
        raise ValueError("it is neither an e-mail address nor a domain") from None

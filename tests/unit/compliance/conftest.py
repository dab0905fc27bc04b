"""Builders of the values that a decision is made from."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chappe.compliance.kinds import AnyRule
from chappe.model.customer import Channel, Content, CustomerMessage, Purpose, Recipient

Build = Callable[..., Any]


def utc_ms(text: str) -> int:
    """Milliseconds of an ISO time, UTC unless it says otherwise."""
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return int(moment.timestamp() * 1000)


@pytest.fixture
def at() -> Callable[[str], int]:
    return utc_ms


@pytest.fixture
def rule() -> Build:
    """A rule of a kind with these parameters, all else filled in."""

    def build(kind: str, parameters: dict[str, Any] | None = None, **fields: Any) -> AnyRule:
        entry = {
            "id": f"test-{kind.replace('_', '-')}",
            "kind": kind,
            "jurisdiction": "*",
            "regulation": "A test",
            "citation": "none",
            "channels": ["any"],
            "applies_to": "both" if kind == "suppression" else "promotional",
            "parameters": parameters or {},
            "action": "block" if kind in ("suppression", "consent_required") else "defer",
            "severity": "low",
            "summary": "A rule of the tests.",
            "source": "the tests",
            "confidence": "house",
        }
        built: AnyRule = msgspec.convert(entry | fields, AnyRule)
        return built

    return build


@pytest.fixture
def message() -> Build:
    """A promotional text message to a New York number, unless told otherwise."""

    def build(**fields: Any) -> CustomerMessage:
        defaults: dict[str, Any] = {
            "id": "msg-1",
            "to": Recipient(phone="+12125550123"),
            "channel": Channel.SMS,
            "purpose": Purpose.PROMOTIONAL,
            "content": Content(text="hello"),
            "created_at_ms": 0,
        }
        return CustomerMessage(**(defaults | fields))

    return build

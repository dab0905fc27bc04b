"""What `chappe status` draws."""

from __future__ import annotations

import io

from rich.console import Console

from chappe.cli.status import Drawing

HOSTILE = "\x1b]0;owned\x07 \u202egnp"


def test_texts_of_others_do_not_command_the_terminal() -> None:
    message = {
        "id": "msg_1",
        "to": {"email": f"ana{HOSTILE}@example.com"},
        "content": {"subject": HOSTILE},
        "purpose": "transactional",
        "declared_purpose": "transactional",
        "channel": "email",
    }
    refused = {"id": HOSTILE, "outcome": "block", "reason": HOSTILE}
    decision = {"outcome": "block", "rule_set": 1, "rules": [refused]}
    event = {"at": "2026-01-01T00:00:00+00:00", "status": "failed", "provider": HOSTILE, "note": HOSTILE}
    events = [event | {"reply": HOSTILE, "code": HOSTILE}, event | {"code": HOSTILE}, event | {"decision": decision}]
    drawn = io.StringIO()
    Console(file=drawn, width=1000).print(Drawing(message, events))
    assert not {"\x1b", "\x07", "\u202e"} & set(drawn.getvalue())
    assert drawn.getvalue().count("\\u001b]0;owned") == 2 + 4 + 3 + 4

"""Single suppressions, consents and measurements on the command line, against a server."""

from __future__ import annotations

from tests.commands import Run

from chappe.cli.connection import connect

from .conftest import Process


def test_a_suppression_is_added_listed_and_lifted(chappe: Run, server: Process) -> None:
    at = ("--data", server.data)
    added = chappe("suppressions", "add", "eve@example.com", "--channel", "email", "--reason", "asked", "--json", *at)
    assert added.code == 0, added.err
    listed = chappe("suppressions", "list", "--address", "eve@example.com", "--json", *at).json
    assert listed == [added.json]
    assert "eve@example.com" in chappe("suppressions", "list", *at).out
    assert chappe("suppressions", "remove", added.json["id"], *at).out == f"{added.json['id']} is lifted\n"
    assert chappe("suppressions", "list", "--address", "eve@example.com", "--json", *at).json == []
    assert chappe("suppressions", "add", "nobody", *at).err.startswith("chappe: error [invalid_input]")


def test_a_consent_is_given_and_taken_back(chappe: Run, server: Process) -> None:
    at = ("--data", server.data)
    given = chappe("consents", "add", "+12025550143", "--channel", "sms", "--level", "written", "--json", *at)
    assert given.code == 0, given.err
    assert chappe("consents", "add", "+12025550143", "--withdrawn", *at).out.startswith("recorded: con_")
    wrong = chappe("consents", "add", "+12025550143", "--recorded-at", "yesterday", *at)
    assert wrong.err.startswith("chappe: error [invalid_input]: /recorded_at: ")
    newest, oldest = chappe("consents", "list", "--address", "+12025550143", "--json", *at).json
    assert (newest["granted"], oldest) == (False, given.json)
    table = chappe("consents", "list", *at).out
    assert "took back" in table
    assert "written" in table


def test_an_uncertain_text_is_settled(chappe: Run, server: Process) -> None:
    at = ("--data", server.data)
    text = {"from": {"phone": "+12025550177"}, "to": "24273", "text": "not interested", "provider_message_id": "x-1"}
    with connect(None, None, server.data) as api:
        taken = api.post("/v1/inbound", text)
    (waiting,) = chappe("optout", "texts", "--review", "--json", *at).json
    assert waiting["id"] == taken["id"]
    assert "not interested" in chappe("optout", "texts", "--person", "+12025550177", *at).out
    settled = chappe("optout", "resolve", taken["id"], "opt_out", "--note", "clear enough", *at)
    assert settled.out == f"{taken['id']}: carried out as a request to stop\n", settled.err
    assert chappe("optout", "texts", "--review", "--json", *at).json == []
    assert chappe("optout", "resolve", taken["id"], "none", *at).code == 1
    settled_one, meanwhile = chappe("optout", "list", "--person", "+12025550177", "--json", *at).json
    assert settled_one["honoured_at"]
    assert meanwhile["lifted_at"]


def test_a_rate_is_recorded_listed_and_forgotten(chappe: Run, server: Process) -> None:
    at = ("--data", server.data)
    added = chappe("rates", "add", "spam_complaint_rate", "0.4%", "--source", "Postmaster Tools", *at)
    assert "asked for by global-mailbox-complaint-rate" in added.out, added.err
    (rate,) = chappe("rates", "list", "--json", *at).json
    assert rate["value"] == 0.004
    assert "0.40%" in chappe("rates", "list", *at).out
    assert chappe("rates", "remove", rate["id"], *at).code == 0
    assert chappe("rates", "list", "--json", *at).json == []
    assert chappe("rates", "add", "spam_complaint_rate", "much", *at).code == 1

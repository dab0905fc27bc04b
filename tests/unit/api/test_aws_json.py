"""Decoding request bodies: the fast way and the patient way agree, and nothing crashes either."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.api.aws_errors import MalformedRequest
from chappe.api.aws_json import encode
from chappe.api.json_decoding import decode_patiently
from chappe.broker import shapes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
VALUES = st.fixed_dictionaries(
    {"DataType": st.sampled_from(["String", "Number"]), "StringValue": st.text(st.characters(codec="utf-8"))},
    optional={"BinaryValue": st.binary(max_size=9).map(lambda raw: base64.b64encode(raw).decode())},
)
SEND = st.fixed_dictionaries(
    {"QueueUrl": st.text(st.characters(codec="utf-8")), "MessageBody": st.text(st.characters(codec="utf-8"))},
    optional={
        "DelaySeconds": st.integers(-(2**31), 2**31 - 1),
        "MessageAttributes": st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), VALUES, max_size=3),
        "MessageGroupId": st.none() | st.text(st.characters(codec="utf-8")),
        "Unknown": JSON,
    },
)
INPUTS = [
    shapes.CreateQueueInput,
    shapes.SendMessageInput,
    shapes.SendMessageBatchInput,
    shapes.ReceiveMessageInput,
    shapes.ChangeMessageVisibilityBatchInput,
]


@given(SEND)
def test_both_ways_give_the_same(request: dict[str, Any]) -> None:
    body = json.dumps(request).encode()
    assert decode_patiently(body, shapes.SendMessageInput) == msgspec.json.decode(body, type=shapes.SendMessageInput)


@given(
    st.sampled_from(INPUTS),
    st.dictionaries(
        st.sampled_from(
            ["QueueUrl", "Attributes", "Entries", "MessageAttributes", "DelaySeconds", "AttributeNames", "tags"]
        ),
        JSON,
    ),
)
def test_any_json_is_understood_or_refused(shape: type[shapes.Shape], request: dict[str, Any]) -> None:
    given_back = understood(json.dumps(request).encode(), shape)
    if given_back is not None:
        assert msgspec.json.decode(encode(given_back), type=shape) == given_back


@given(st.binary(max_size=200))
def test_any_bytes_are_understood_or_refused(body: bytes) -> None:
    understood(body, shapes.SendMessageInput)


def understood(body: bytes, shape: type[shapes.Shape]) -> shapes.Shape | None:
    try:
        return decode_patiently(body, shape)
    except MalformedRequest:
        return None


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (-5, "-5"), (1.5, "1.5"), (True, "true"), (False, "false"), (10**40, "1" + "0" * 40)]
)
def test_what_passes_for_text(value: object, text: str) -> None:
    found = decode_patiently(json.dumps({"MessageBody": value}).encode(), shapes.SendMessageInput)
    assert found.message_body == text


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert decode_patiently(b'{"DelaySeconds": 5.0}', shapes.SendMessageInput).delay_seconds == 5


def test_null_means_absent_everywhere() -> None:
    body = b'{"QueueUrl": null, "Entries": [null, {"Id": null}], "Attributes": {"a": null}}'
    assert decode_patiently(body, shapes.SendMessageBatchInput).entries == [shapes.SendMessageBatchRequestEntry()]
    assert decode_patiently(body, shapes.CreateQueueInput).attributes == {}

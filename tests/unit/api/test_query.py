"""Both codecs agree: what an older SDK writes is read like the JSON of a newer one, and so are the answers."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.query_model import query_model

from chappe.api import sqs as table
from chappe.api.aws_errors import MalformedRequest
from chappe.api.form import parse_form
from chappe.api.query_decoding import decode
from chappe.api.query_encoding import encode_answer
from chappe.api.query_names import members_of
from chappe.broker import shapes

MODEL = ServiceModel(query_model(), "sqs")
SERIALIZER = create_serializer("query", include_validation=False)
PARSER = create_parser("query")

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
XML_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=20
) | st.sampled_from(["", "\r", "\n\t", '"<&>', "]]>"])
INT = st.integers(-(2**31), 2**31 - 1)


def values(shape: Any, text: st.SearchStrategy[str], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape of botocore, in the form it takes them from users."""
    if shape.type_name == "structure":
        members = {name: values(member, text, depth + 1) for name, member in shape.members.items()}
        return st.fixed_dictionaries({}, optional=members)
    if shape.type_name == "list":
        return st.lists(values(shape.member, text, depth + 1), min_size=1, max_size=3)
    if shape.type_name == "map":
        return st.dictionaries(text, values(shape.value, text, depth + 1), min_size=1, max_size=3)
    if shape.type_name == "blob":
        return st.binary(max_size=8)
    if shape.type_name == "boolean":
        return st.booleans()
    return INT if shape.type_name in ("integer", "long") else text


def inputs() -> dict[str, type[shapes.Shape]]:
    return {
        name.removesuffix("Input"): shape
        for name, shape in vars(shapes).items()
        if name.endswith("Input") and name.removesuffix("Input") in MODEL.operation_names
    }


@pytest.mark.parametrize("name", sorted(inputs()))
@given(data=st.data())
def test_what_an_older_sdk_writes_is_read_like_json(name: str, data: st.DataObject) -> None:
    operation = MODEL.operation_model(name)
    given_in = data.draw(values(operation.input_shape, TEXT))
    request = SERIALIZER.serialize_to_request(given_in, operation)
    body = urlencode(request["body"]).encode()
    expected = msgspec.json.decode(json.dumps(_pruned(given_in), default=_base64), type=inputs()[name])
    assert decode(parse_form(body), inputs()[name]) == expected


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _pruned(value: Any) -> Any:
    """Without structures that have no members: the Query protocol cannot say them."""
    if isinstance(value, list):
        return [item for item in map(_pruned, value) if item != {}]
    if isinstance(value, dict):
        return {name: _pruned(item) for name, item in value.items() if _pruned(item) != [] or name == ""}
    return value


OUTPUTS = {
    "SendMessage": shapes.SendMessageOutput,
    "ReceiveMessage": shapes.ReceiveMessageOutput,
    "GetQueueAttributes": shapes.GetQueueAttributesOutput,
    "ListQueues": shapes.ListQueuesOutput,
    "SendMessageBatch": shapes.SendMessageBatchOutput,
    "DeleteMessageBatch": shapes.DeleteMessageBatchOutput,
    "ChangeMessageVisibilityBatch": shapes.ChangeMessageVisibilityBatchOutput,
}


@pytest.mark.parametrize("name", sorted(OUTPUTS))
@given(data=st.data())
def test_an_older_sdk_reads_what_a_newer_one_would(name: str, data: st.DataObject) -> None:
    operation = MODEL.operation_model(name)
    content = _required(data.draw(values(operation.output_shape, XML_TEXT)), operation.output_shape)
    output = msgspec.json.decode(json.dumps(content, default=_base64), type=OUTPUTS[name])
    body = encode_answer(name, output, b"the-id", table.NAMESPACE)
    parsed = PARSER.parse({"body": body, "headers": {}, "status_code": 200}, operation.output_shape)
    assert parsed.pop("ResponseMetadata")["RequestId"] == "the-id"
    assert _pruned(parsed) == _pruned(content)


def _required(value: Any, shape: Any) -> Any:
    """With what our own shapes never leave out."""
    if shape.type_name == "list":
        return [_required(item, shape.member) for item in value]
    if shape.type_name != "structure":
        return value
    always = {*shape.required_members, *(("MessageId", "ReceiptHandle", "MD5OfBody", "Body", "MD5OfMessageBody"))}
    filled = {name: _required(item, shape.members[name]) for name, item in value.items()}
    for name in always & set(shape.members):
        kind = shape.members[name].type_name
        filled.setdefault(name, {"string": "x", "boolean": False, "list": []}.get(kind))
    return filled


@given(st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=5))
def test_forms_are_read_as_the_standard_library_reads_them(pairs: list[tuple[str, str]]) -> None:
    text = urlencode(pairs)
    assert parse_form(text.encode()) == dict(parse_qsl(text, keep_blank_values=True))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_refused(body: bytes) -> None:
    read(body, shapes.SendMessageInput)


NAMES = st.lists(
    st.sampled_from(
        ["SendMessageBatchRequestEntry", "MessageAttribute", "Attribute", "Tag", "1", "2", "x", "Name", ""]
    ),
    min_size=1,
    max_size=9,
).map(".".join)


@given(st.dictionaries(NAMES, TEXT, max_size=8), st.sampled_from(sorted(inputs())))
def test_any_parameters_are_understood_or_refused(parameters: dict[str, str], name: str) -> None:
    read(urlencode(parameters).encode(), inputs()[name])


def read(body: bytes, shape: type[shapes.Shape]) -> shapes.Shape | None:
    try:
        return decode(parse_form(body), shape)
    except MalformedRequest:
        return None


def test_every_list_and_map_has_a_name_in_the_query_protocol() -> None:
    for shape in vars(shapes).values():
        if isinstance(shape, type) and issubclass(shape, msgspec.Struct) and shape is not msgspec.Struct:
            members_of(shape)

"""Message attributes: rules, size, checksum, and the choice of a receiver."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.broker.envelopes import pack, unpack
from chappe.broker.errors import InvalidMessageContents, InvalidParameterValue
from chappe.broker.message_attributes import (
    TypedAttributes,
    check_message_attributes,
    check_trace_header,
    chosen,
    md5_of_attributes,
    size_bytes,
    stated_size_bytes,
    to_shapes,
)
from chappe.broker.shapes import MessageAttributeValue as Value

TYPED = st.dictionaries(
    st.text("abcXYZ019_-", min_size=1, max_size=8),
    st.tuples(st.sampled_from(["String", "String.json"]), st.text("aé𝄞\n", min_size=1, max_size=9))
    | st.tuples(st.sampled_from(["Number", "Number.int"]), st.integers().map(str))
    | st.tuples(st.sampled_from(["Binary", "Binary.gif"]), st.binary(min_size=1, max_size=9)),
    max_size=10,
)


def text(value: str | None, data_type: str | None = "String") -> Value:
    return Value(data_type=data_type, string_value=value)


@given(TYPED)
def test_what_is_valid_is_kept_and_comes_back(attributes: TypedAttributes) -> None:
    shapes = to_shapes(attributes)
    assert check_message_attributes(shapes) == attributes
    assert size_bytes(attributes) == stated_size_bytes(shapes)
    packed = pack(b"x" * 16, "sender", None, None, attributes)
    envelope = unpack(packed)
    assert envelope is not None
    assert envelope.message_attributes == attributes


@given(TYPED)
def test_the_checksum_does_not_depend_on_the_order(attributes: TypedAttributes) -> None:
    turned = dict(reversed(attributes.items()))
    assert md5_of_attributes(turned) == md5_of_attributes(attributes)


@pytest.mark.parametrize(
    ("attributes", "checksum"),
    [
        ({"test-key": ("String", "test-value")}, "befa18540a897f7d022bf07057754a03"),
        ({"bin": ("Binary", b"\x00\x01")}, "341180f4c7e9ec2e643c77978d60ae6e"),
        ({"n": ("Number", "42")}, "30e7543857de47826ea2a48bbec32fd7"),
    ],
)
def test_known_checksums(attributes: dict[str, Any], checksum: str) -> None:
    assert md5_of_attributes(attributes) == checksum


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("", text("x"), "The request must contain non-empty message (user) attribute names."),
        ("x" * 257, text("x"), "Message (user) attribute name must be shorter than 256 bytes."),
        ("AWS.x", text("x"), "You can't use message attribute names beginning with 'AWS.' or 'Amazon'. "),
        ("amazon.x", text("x"), "You can't use message attribute names beginning with 'AWS.' or 'Amazon'. "),
        ("a b", text("x"), "Message (user) attribute name 'a b' is invalid."),
        ("é", text("x"), "Message (user) attribute name 'é' is invalid."),
        (".a", text("x"), "Message (user) attribute name '.a' is invalid."),
        ("a.", text("x"), "Message (user) attribute name 'a.' is invalid."),
        ("a..b", text("x"), "Message (user) attribute name 'a..b' is invalid."),
        ("a\n", text("x"), "Message (user) attribute name 'a\n' is invalid."),
        ("a", Value(), "The message (user) attribute 'a' must contain a non-empty message attribute value."),
        ("a", text("x", None), "The message (user) attribute 'a' must contain a non-empty message attribute type."),
        ("a", text("x", ""), "The message (user) attribute 'a' must contain a non-empty message attribute type."),
        ("a", text("x", "String." + "y" * 250), "Message (user) attribute type must be shorter than 256 bytes."),
        ("a", text("x", "Text"), "The type of message (user) attribute 'a' is invalid. You must use only "),
        ("a", text("x", "string"), "The type of message (user) attribute 'a' is invalid. You must use only "),
        ("a", text(""), "Message (user) attribute 'a' must contain a non-empty value of type 'String'."),
        ("a", text("x", "Binary"), "Message (user) attribute 'a' must contain a non-empty value of type 'Binary'."),
        ("a", Value(data_type="String", binary_value=b"x"), "Message (user) attribute 'a' must contain a non-empty "),
        ("a", text("one", "Number"), "Can't cast the value of message (user) attribute 'a' to a number."),
        ("a", text("1 ", "Number"), "Can't cast the value of message (user) attribute 'a' to a number."),
        ("a", text("٣", "Number"), "Can't cast the value of message (user) attribute 'a' to a number."),
        ("a", text("NaN", "Number"), "Can't cast the value of message (user) attribute 'a' to a number."),
        (
            "a",
            Value(data_type="StringList", string_list_values=["x"]),
            "Message attribute list values in SendMessage operation are not supported.",
        ),
    ],
)
def test_what_is_refused(name: str, value: Value, message: str) -> None:
    with pytest.raises(InvalidParameterValue) as caught:
        check_message_attributes({name: value})
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("number", ["0", "-1", "+1.5", ".5", "5.", "1e10", "-1.5E-3", "1234567890123456789012"])
def test_numbers(number: str) -> None:
    assert check_message_attributes({"n": text(number, "Number")}) == {"n": ("Number", number)}


def test_a_forbidden_character_in_a_value() -> None:
    with pytest.raises(InvalidMessageContents, match="'#x1' was found in message \\(user\\) attribute 'a'"):
        check_message_attributes({"a": text("x\x01")})


def test_ten_at_most() -> None:
    with pytest.raises(InvalidParameterValue) as caught:
        check_message_attributes({str(n): text("x") for n in range(11)})
    assert caught.value.message == "Number of message attributes [11] exceeds the allowed maximum [10]."


def test_the_trace_header() -> None:
    assert check_trace_header({}) is None
    assert check_trace_header({"AWSTraceHeader": text("Root=1")}) == "Root=1"
    for bad in ({"AWSTraceHeader": text("1", "Number")}, {"AWSTraceHeader": text("")}, {"Other": text("x")}):
        with pytest.raises(InvalidParameterValue):
            check_trace_header(bad)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["All"], {"a.x", "a.y", "b"}),
        ([".*"], {"a.x", "a.y", "b"}),
        (["a.*"], {"a.x", "a.y"}),
        (["b", "b", "c"], {"b"}),
        (["a"], set()),
        (["a.x.*"], {"a.x"}),
        (["a*"], {"a.x", "a.y"}),
        (["*"], {"a.x", "a.y", "b"}),
    ],
)
def test_the_choice_of_a_receiver(names: list[str], expected: set[str]) -> None:
    attributes: TypedAttributes = dict.fromkeys(("a.x", "a.y", "b"), ("String", "v"))
    assert set(chosen(attributes, names)) == expected


@given(st.binary(max_size=60))
def test_what_is_no_envelope_is_no_envelope(packed: bytes) -> None:
    envelope = unpack(packed)
    assert envelope is None or len(envelope.body_md5) == 16

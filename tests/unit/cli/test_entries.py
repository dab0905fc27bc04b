from __future__ import annotations

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.cli.entries import MAX_LINE_BYTES, Entry, Format, Malformed, read_entries
from chappe.model.errors import InvalidInput
from chappe.pipeline.acceptance.request import MessageRequest


def read(content: bytes, form: Format = Format.JSONL) -> list[Entry | Malformed]:
    return list(read_entries(io.BytesIO(content), form))


def documents(content: bytes, form: Format = Format.JSONL) -> list[tuple[int, object]]:
    return [(entry.line, entry.document if isinstance(entry, Entry) else entry.reason) for entry in read(content, form)]


def test_each_line_is_a_message_and_empty_lines_are_none() -> None:
    assert documents(b'{"a": 1}\n\n  \n{"b": 2}\r\n{"c": 3}') == [(1, {"a": 1}), (4, {"b": 2}), (5, {"c": 3})]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert documents(b'\xef\xbb\xbf{"a": 1}\n') == [(1, {"a": 1})]
    assert documents(b"\xef\xbb\xbfemail,purpose\na@b.example,x\n", Format.CSV)[0][0] == 2


@pytest.mark.parametrize(
    "line",
    [
        b'{"to": ',
        b"[1]",
        b"7",
        b"null",
        b'{"a": \xff\xfe}',
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        b"9" * 1_000_000,
        b"\x00",
        b"x" * (MAX_LINE_BYTES + 10),
        b"x" * MAX_LINE_BYTES,
    ],
)
def test_a_bad_line_is_reported_and_the_others_go_on(line: bytes) -> None:
    first, bad, last = read(b'{"a": 1}\n' + line + b'\n{"b": 2}\n')
    assert isinstance(first, Entry)
    assert isinstance(last, Entry)
    assert isinstance(bad, Malformed)
    assert (bad.line, last.line) == (2, 3)
    assert bad.reason
    assert len(bad.reason) < 300


@given(st.binary())
def test_no_bytes_break_the_reading(content: bytes) -> None:
    for entry in read(content):
        assert entry.line >= 1


@given(st.binary())
def test_no_bytes_break_the_reading_of_csv(content: bytes) -> None:
    for entry in read(b"email,purpose,text\n" + content, Format.CSV):
        assert entry.line >= 2


def test_a_message_of_a_csv_file_may_say_all_that_one_of_the_api_may() -> None:
    told = {field.encode_name for field in msgspec.structs.fields(MessageRequest)} - {"to", "content", "metadata"}
    for name in told | {"purpose"}:
        ((_, document),) = documents(f"email,{name}\na@b.example,x\n".encode(), Format.CSV)
        assert isinstance(document, dict), document
        assert document[name] == "x"


def test_csv_columns_become_a_message() -> None:
    content = (
        b"email,phone,from,subject,text,data,purpose,send_at,metadata.order,channel\n"
        b'ada@example.com,,Acme <a@acme.example>,"Hi, Ada","Two\nlines","{""a"": 1}",transactional,,7,\n'
        b",+12025550143,,,Hi,,promotional,2027-01-01T00:00:00Z,,sandbox\n"
    )
    assert documents(content, Format.CSV) == [
        (
            2,
            {
                "to": {"email": "ada@example.com"},
                "from": "Acme <a@acme.example>",
                "content": {"subject": "Hi, Ada", "text": "Two\nlines", "data": {"a": 1}},
                "purpose": "transactional",
                "metadata": {"order": "7"},
            },
        ),
        (
            4,
            {
                "to": {"phone": "+12025550143"},
                "content": {"text": "Hi"},
                "purpose": "promotional",
                "send_at": "2027-01-01T00:00:00Z",
                "channel": "sandbox",
            },
        ),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"a@b.example", "has 1 cells where the header has 3"),
        (b"a@b.example,x,{", "the column data is not JSON"),
        (b"\xff@b.example,x,1", "is not UTF-8"),
        (b'"a@b.example"c,x,1', "is not CSV"),
    ],
)
def test_a_bad_row_is_reported_and_the_others_go_on(row: bytes, reason: str) -> None:
    bad, good = read(b"email,purpose,data\n" + row + b"\na@b.example,x,1\n", Format.CSV)
    assert isinstance(bad, Malformed)
    assert (bad.line, good.line) == (2, 3)
    assert reason in bad.reason
    assert isinstance(good, Entry)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"", "needs a header"),
        (b"email,colour\n", "no column 'colour'"),
        (b"email,email\n", "appears twice"),
        (b"email,metadata.\n", "no column 'metadata.'"),
        (b'"email', "not CSV"),
    ],
)
def test_a_bad_header_is_an_error(header: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        read(header, Format.CSV)

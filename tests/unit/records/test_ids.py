from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chappe.records import ids

MOMENTS = st.integers(0, (1 << 42) - 1)
KEYS = st.integers(0, ids.LARGEST)


@given(KEYS)
def test_a_key_comes_back_from_its_text(key: int) -> None:
    assert ids.parse_key(ids.MESSAGE, ids.key_text(ids.MESSAGE, key)) == key


@given(KEYS, KEYS)
def test_texts_sort_like_keys(one: int, other: int) -> None:
    texts = ids.key_text(ids.MESSAGE, one), ids.key_text(ids.MESSAGE, other)
    assert (texts[0] < texts[1]) == (one < other)


@given(st.text())
def test_other_text_is_no_key(text: str) -> None:
    key = ids.parse_key(ids.MESSAGE, text)
    assert key is None or ids.key_text(ids.MESSAGE, key) == text


def test_the_prefix_and_the_range_are_checked() -> None:
    assert ids.parse_key(ids.MESSAGE, "con_0000000000000001") is None
    assert ids.parse_key(ids.MESSAGE, "msg_ffffffffffffffff") is None
    assert ids.parse_key(ids.MESSAGE, "msg_000000000000000a\n") is None


@given(st.lists(MOMENTS, min_size=1, max_size=200), st.integers(0, 1023))
def test_keys_grow_whatever_the_clock_does(moments: list[int], node: int) -> None:
    clock = iter(moments)
    source = ids.KeySource(lambda: next(clock), node=node)
    keys = [source.next() for _ in moments]
    assert keys == sorted(set(keys))


@given(MOMENTS, KEYS)
def test_keys_grow_across_a_restart(now_ms: int, last: int) -> None:
    source = ids.KeySource(lambda: now_ms, last=min(last, ids.LARGEST - (1 << 22)))
    assert source.next() > min(last, ids.LARGEST - (1 << 22))


def test_more_keys_than_fit_into_a_millisecond_borrow_from_the_next() -> None:
    source = ids.KeySource(lambda: 1_000)
    keys = [source.next() for _ in range(5_000)]
    assert keys == sorted(set(keys))
    assert ids.created_at_ms(keys[0]) == 1_000
    assert ids.created_at_ms(keys[-1]) == 1_002


@given(MOMENTS)
def test_a_moment_bounds_the_keys_made_since(now_ms: int) -> None:
    key = ids.KeySource(lambda: now_ms).next()
    assert ids.first_key_at(now_ms) <= key
    assert now_ms == 0 or ids.first_key_at(now_ms + 1) > key


def test_nodes_do_not_meet() -> None:
    one, other = (ids.KeySource(lambda: 1_000, node=node) for node in (1, 2))
    assert not {one.next() for _ in range(1_000)} & {other.next() for _ in range(1_000)}

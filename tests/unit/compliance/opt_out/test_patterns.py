from __future__ import annotations

import pytest

from chappe.compliance.opt_out.patterns import InvalidPattern, compile_pattern

CLASSES = {"me": ["me", "my phone"]}


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("stop", "please stop ", True),
        ("stop", "nonstop ", False),
        ("stop", "stopping ", False),
        ("stop*", "stopping ", True),
        ("stop|quit now", "quit now ", True),
        ("take_me off", "take me off ", True),
        ("stop now? please", "stop please ", True),
        ("call <me>", "call my phone ", True),
        ("take .. list", "take me off the list ", True),
        ("take .. list", "take me off of the list ", False),
        ("take .. list", "take me . list ", False),
        ("^ stop", "ok . stop it ", True),
        ("^ stop", "ok stop it ", False),
        ("stop $", "please stop . thanks ", True),
        ("stop $", "please stop it ", False),
        ("stop from|$", "stop ", True),
        ("stop ?", "stop ? ", True),
        ("stop ?", "stop . ", False),
    ],
)
def test_patterns(pattern: str, text: str, found: bool) -> None:
    assert (compile_pattern(pattern, CLASSES, spaced=True).search(text) is not None) is found


def test_without_spaces_parts_follow_each_other() -> None:
    pattern = compile_pattern("不要 .. 短信", {}, spaced=False)
    assert pattern.search("请不要再给我发短信")
    assert not pattern.search("不要.短信")


@pytest.mark.parametrize("pattern", ["", "<nobody>", "stop|!!"])
def test_what_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidPattern):
        compile_pattern(pattern, CLASSES, spaced=True)

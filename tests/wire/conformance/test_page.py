"""The page says what the tests show: no operation, error or test is missing."""

from __future__ import annotations

import ast
from pathlib import Path

from botocore.loaders import Loader
from tests.wire.conformance.behaviours import BESIDE, EVERYWHERE, OPERATIONS
from tests.wire.conformance.declared_errors import NEVER, NEVER_OF, declared
from tests.wire.conformance.page import render

PAGE = Path(__file__).parents[3] / "docs" / "sqs-conformance.md"
TESTS = Path(__file__).parents[1]


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run: make docs"


def test_every_operation_of_the_service_is_on_it() -> None:
    assert set(OPERATIONS) == set(Loader().load_service_model("sqs", "service-2")["operations"])


def test_no_reason_is_told_for_an_error_that_is_not_declared() -> None:
    assert set(NEVER) <= {error for _, error in declared()}
    assert set(NEVER_OF) <= set(declared())


def test_every_test_it_relies_on_is_there() -> None:
    there = {
        f"{path.stem}.{node.name}"
        for path in TESTS.glob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    behaviours = [*EVERYWHERE, *BESIDE, *(each for rows in OPERATIONS.values() for each in rows)]
    named = {name for behaviour in behaviours for name in behaviour.tests}
    assert named
    assert named - there == set()

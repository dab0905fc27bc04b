"""What a row of an operation table is, for every service and every protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import msgspec

from chappe.api.aws_errors import AwsError
from chappe.api.aws_messages import AwsRequest, AwsResponse
from chappe.broker.directory import Call
from chappe.broker.shapes import Shape

Run = Callable[[Call, Any], Awaitable[Shape | None]]
GiveBack = Callable[[Call, Any, Any], Awaitable[None]]
S = TypeVar("S", bound=Shape)


class Operation(msgspec.Struct, frozen=True):
    """`shape` is the operation's input; `run` carries it out and answers with its output, None if it has none.

    `give_back` undoes an answer that could not be handed over; an operation that has one may wait for long.
    """

    name: str
    service: str
    shape: type[Shape]
    run: Run
    give_back: GiveBack | None = None
    empty: Shape | None = None
    """What such an operation answers when the server stops while it waits."""


class Codec(Protocol):
    """A wire protocol: which operation a request means, its input, and how answers and errors look."""

    def operation(self, request: AwsRequest) -> Operation:
        """The operation a request names. Raises a `ChappeError` if there is none."""
        ...

    def decode(self, request: AwsRequest, operation: Operation) -> Any:
        """The operation's input. Raises `MalformedRequest`."""
        ...

    def answer(self, operation: Operation, output: Shape | None, request_id: bytes) -> AwsResponse: ...

    def refusal(self, operation: Operation | None, error: AwsError, request_id: bytes) -> AwsResponse:
        """`operation` is None if the request names none."""
        ...


def named_after_inputs(service: str, rows: list[tuple[type[Shape], Run]]) -> list[Operation]:
    """Operations whose names are those of their inputs without `Input`."""
    return [Operation(shape.__name__.removesuffix("Input"), service, shape, run) for shape, run in rows]

"""The AWS JSON 1.0 protocol: the operation in `X-Amz-Target`, its input in the body.

A body that fits its operation's input is decoded in one step, any other the patient way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from chappe.api.aws_errors import AwsError, UnknownOperation
from chappe.api.aws_messages import AwsRequest, AwsResponse
from chappe.api.json_decoding import decode_patiently
from chappe.api.operations import Operation
from chappe.broker.shapes import Shape

CONTENT_TYPE = b"application/x-amz-json-1.0"
_encoder = msgspec.json.Encoder()


class JsonCodec:
    """`tables` are the operations by the prefix their service has in `X-Amz-Target`."""

    def __init__(self, tables: Mapping[str, Iterable[Operation]]) -> None:
        self._tables = {
            f"{prefix}.{operation.name}".encode(): operation
            for prefix, operations in tables.items()
            for operation in operations
        }
        self._decoders = {operation.name: msgspec.json.Decoder(operation.shape) for operation in self._tables.values()}
        self._example = next(iter(self._tables), b"").decode()

    def operation(self, request: AwsRequest) -> Operation:
        operation = self._tables.get(request.target or b"")
        if operation is None or request.method != b"POST":
            raise self._unknown(request)
        return operation

    def decode(self, request: AwsRequest, operation: Operation) -> Any:
        try:
            return self._decoders[operation.name].decode(request.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return decode_patiently(request.body, operation.shape)

    def answer(self, operation: Operation, output: Shape | None, request_id: bytes) -> AwsResponse:
        return AwsResponse(200, CONTENT_TYPE, request_id, encode(output))

    def refusal(self, operation: Operation | None, error: AwsError, request_id: bytes) -> AwsResponse:
        fault = "Sender" if error.sender_fault else "Receiver"
        query_error = b"" if error.query_code is None else f"{error.query_code};{fault}".encode()
        body = _encoder.encode({"__type": f"{error.namespace}#{error.name}", "message": error.message})
        return AwsResponse(error.status, CONTENT_TYPE, request_id, body, query_error)

    def _unknown(self, request: AwsRequest) -> UnknownOperation:
        if request.target is None:
            return UnknownOperation(
                "The request names no operation: the header X-Amz-Target is missing "
                f"(for example `X-Amz-Target: {self._example}`)."
            )
        target = request.target[:200].decode("ascii", "replace")
        if request.target in self._tables:
            return UnknownOperation(f"{target} must be sent with POST, not {request.method.decode('ascii')[:20]}.")
        return UnknownOperation(f"There is no operation {target} here.")


def encode(output: Shape | None) -> bytes:
    """The body of an answer; operations without an output answer with an empty one."""
    return b"" if output is None else _encoder.encode(output)

"""The AWS Query protocol: operation and input as parameters of a form or of the URL, answers in XML.

A service without a name in the request is told by the service the request was signed for. Under the path of a queue
the parameter QueueUrl may be left out, and the operations that are not a queue's own are refused, as in AWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from chappe.api.aws_errors import AwsError, NoOperation, UnknownOperation
from chappe.api.aws_messages import AwsRequest, AwsResponse
from chappe.api.form import parse_form
from chappe.api.operations import Operation
from chappe.api.query_decoding import decode
from chappe.api.query_encoding import encode_answer, encode_error
from chappe.broker.shapes import Shape
from chappe.security.signature_claims import credential_scope

CONTENT_TYPE = b"text/xml"
FORM = b"application/x-www-form-urlencoded"
NOT_OF_A_QUEUE = frozenset({"CreateQueue", "ListQueues"})


class QueryService(msgspec.Struct, frozen=True):
    """`namespace` is that of the XML in its answers."""

    namespace: str
    operations: Mapping[str, Operation]


class QueryCodec:
    """`services` by their signing names; the first is taken where a request tells none."""

    def __init__(self, services: Mapping[str, QueryService]) -> None:
        self._services = dict(services)
        self._first = next(iter(self._services))

    def operation(self, request: AwsRequest) -> Operation:
        if request.method not in (b"GET", b"POST"):
            raise UnknownOperation(f"An action is asked for with GET or POST, not {request.method.decode()[:20]}.")
        form = request.body if request.fields.get(b"content-type", b"").startswith(FORM) else b""
        request.parameters = parse_form(request.query, form)
        name = request.parameters.get("Action")
        if not name:
            raise NoOperation("The request names no operation: the parameter Action is missing.")
        for service in self._candidates(request):
            operation = service.operations.get(name)
            if operation is not None and (request.path == b"/" or name not in NOT_OF_A_QUEUE):
                return operation
        raise UnknownOperation(f"The action {name[:200]} is not valid for this endpoint.")

    def decode(self, request: AwsRequest, operation: Operation) -> Any:
        return decode(request.parameters, operation.shape)

    def answer(self, operation: Operation, output: Shape | None, request_id: bytes) -> AwsResponse:
        namespace = self._services[operation.service].namespace
        return AwsResponse(200, CONTENT_TYPE, request_id, encode_answer(operation.name, output, request_id, namespace))

    def refusal(self, operation: Operation | None, error: AwsError, request_id: bytes) -> AwsResponse:
        service = self._services[self._first if operation is None else operation.service]
        return AwsResponse(error.status, CONTENT_TYPE, request_id, encode_error(error, request_id, service.namespace))

    def _candidates(self, request: AwsRequest) -> Iterable[QueryService]:
        """The service the request was signed for, or if it is none of ours, all."""
        scope = credential_scope(request.query, request.fields)
        signed_for = None if scope is None else self._services.get(scope.service)
        return self._services.values() if signed_for is None else (signed_for,)

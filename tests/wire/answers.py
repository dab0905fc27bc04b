"""Holds every answer of the server to the service model: botocore parses it, and nothing else may be in it."""

from __future__ import annotations

import json
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator


def check_answer(http_response: Any, parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
    """A handler for botocore's `after-call` event."""
    headers = http_response.headers
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert len(headers["x-amzn-requestid"]) == 36
    if http_response.status_code != 200:
        error = json.loads(http_response.content)
        assert set(error) == {"__type", "message"}
        namespace, _, name = error["__type"].partition("#")
        assert namespace in ("com.amazonaws.sqs", "com.amazon.coral.service")
        assert name
        return
    shape = model.output_shape
    if shape is None:
        assert http_response.content == b""
        return
    content = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    report = ParamValidator().validate(content, shape)
    assert not report.has_errors(), report.generate_report()
    _check_known(json.loads(http_response.content), shape)


def _check_known(value: Any, shape: Shape) -> None:
    """Every member is in the model and none is null."""
    assert value is not None
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            assert name in shape.members, f"{shape.name} has no member {name}"
            _check_known(member, shape.members[name])
    elif isinstance(shape, ListShape):
        for item in value:
            _check_known(item, shape.member)
    elif isinstance(shape, MapShape):
        for name, item in value.items():
            assert not getattr(shape.key, "enum", None) or name in shape.key.enum
            _check_known(item, shape.value)

"""Holds every answer of the server to the service model: botocore parses it, and nothing else may be in it."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator
from tests.wire.query_model import NAMESPACE


def check_json(http_response: Any, parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
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
    content = json.loads(http_response.content)
    assert content.get("Failed") != []
    _check_parsed({**parsed, **({} if "Failed" in parsed else _none_failed(shape))}, shape)
    _check_known(content, shape)


def check_xml(http_response: Any, parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
    """The same for the Query protocol."""
    headers = http_response.headers
    assert headers["content-type"] == "text/xml"
    root = ElementTree.fromstring(http_response.content)
    space = f"{{{NAMESPACE}}}"
    assert all(element.tag.startswith(space) for element in root.iter())
    if http_response.status_code != 200:
        assert [child.tag.removeprefix(space) for child in root] == ["Error", "RequestId"]
        assert [child.tag.removeprefix(space) for child in root[0]] == ["Type", "Code", "Message", "Detail"]
        assert root.findtext(space + "RequestId") == headers["x-amzn-requestid"]
        return
    assert root.tag == f"{space}{model.name}Response"
    assert root.findtext(f"{space}ResponseMetadata/{space}RequestId") == headers["x-amzn-requestid"]
    result = root.find(f"{space}{model.name}Result")
    shape = model.output_shape
    assert (result is None) == (shape is None)
    if shape is not None and result is not None:
        # An empty list cannot be told from an absent one, so botocore leaves it out.
        empty = {name: [] for name in shape.required_members if isinstance(shape.members[name], ListShape)}
        _check_parsed({**empty, **parsed}, shape)
        _check_elements(result, shape, space)


def _none_failed(shape: StructureShape) -> dict[str, list[Any]]:
    """A batch of which no entry failed has no `Failed`, which the model requires and the service leaves out."""
    return {"Failed": []} if "Failed" in shape.required_members else {}


def _check_parsed(parsed: dict[str, Any], shape: Shape) -> None:
    content = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    report = ParamValidator().validate(content, shape)
    assert not report.has_errors(), report.generate_report()


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


def _check_elements(element: ElementTree.Element, shape: StructureShape, space: str) -> None:
    """Every element is in the model, under the name it has there."""
    members = {}
    for name, member in shape.members.items():
        item = member.member if isinstance(member, ListShape) else member
        members[item.serialization.get("name", member.serialization.get("name", name))] = item
    for child in element:
        name = child.tag.removeprefix(space)
        assert name in members, f"{shape.name} has no element {name}"
        member = members[name]
        if isinstance(member, StructureShape):
            _check_elements(child, member, space)
        elif isinstance(member, MapShape):
            names = [member.key.serialization["name"], member.value.serialization["name"]]
            assert [part.tag.removeprefix(space) for part in child] == names
            if isinstance(member.value, StructureShape):
                _check_elements(child[1], member.value, space)
        else:
            assert len(child) == 0

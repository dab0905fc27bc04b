"""Every error that the service model declares for an operation is given by it, or it is told why never."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.loaders import Loader
from botocore.model import ServiceModel
from tests.wire.asking import attributes_of, error_of, receive, send
from tests.wire.conformance.declared_errors import declared, why_never
from tests.wire.live import ACCOUNT, REGION, LiveServer
from tests.wire.query_model import ERRORS

MODEL = ServiceModel(Loader().load_service_model("sqs", "service-2"), "sqs")
NOWHERE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:nowhere"

PARAMETERS: dict[str, dict[str, Any]] = {
    "AddPermission": {"Label": "l", "AWSAccountIds": [ACCOUNT], "Actions": ["SendMessage"]},
    "CancelMessageMoveTask": {"TaskHandle": "x"},
    "ChangeMessageVisibility": {"ReceiptHandle": "x", "VisibilityTimeout": 1},
    "ChangeMessageVisibilityBatch": {"Entries": [{"Id": "a", "ReceiptHandle": "x", "VisibilityTimeout": 1}]},
    "CreateQueue": {"QueueName": "some"},
    "DeleteMessage": {"ReceiptHandle": "x"},
    "DeleteMessageBatch": {"Entries": [{"Id": "a", "ReceiptHandle": "x"}]},
    "DeleteQueue": {},
    "GetQueueAttributes": {"AttributeNames": ["All"]},
    "GetQueueUrl": {"QueueName": "nowhere"},
    "ListDeadLetterSourceQueues": {},
    "ListMessageMoveTasks": {"SourceArn": NOWHERE},
    "ListQueueTags": {},
    "ListQueues": {},
    "PurgeQueue": {},
    "ReceiveMessage": {},
    "RemovePermission": {"Label": "l"},
    "SendMessage": {"MessageBody": "x"},
    "SendMessageBatch": {"Entries": [{"Id": "a", "MessageBody": "x"}]},
    "SetQueueAttributes": {"Attributes": {"DelaySeconds": "1"}},
    "StartMessageMoveTask": {"SourceArn": NOWHERE},
    "TagQueue": {"Tags": {"k": "v"}},
    "UntagQueue": {"TagKeys": ["k"]},
}
"""Of each operation, what it needs beside a queue."""


def parameters_of(operation: str, queue: str) -> dict[str, Any]:
    members = MODEL.operation_model(operation).input_shape.members
    return {**PARAMETERS[operation], **({"QueueUrl": queue} if "QueueUrl" in members else {})}


class World:
    """What a scenario may use."""

    def __init__(self, sqs: Any, server: LiveServer, queue: str) -> None:
        self.sqs = sqs
        self.server = server
        self.queue = queue

    def entries(self, operation: str, *ids: str) -> dict[str, Any]:
        (entry,) = PARAMETERS[operation]["Entries"]
        return {"QueueUrl": self.queue, "Entries": [{**entry, "Id": each} for each in ids]}


Scenario = Callable[[World, str], dict[str, Any]]


def no_queue(world: World, operation: str) -> dict[str, Any]:
    return parameters_of(operation, world.queue + "-gone")


def nothing_there(world: World, operation: str) -> dict[str, Any]:
    if operation != "CancelMessageMoveTask":
        return PARAMETERS[operation]
    import base64

    return {"TaskHandle": base64.b64encode(f'{{"taskId":"1","sourceArn":"{NOWHERE}"}}'.encode()).decode()}


def not_in_flight(world: World, operation: str) -> dict[str, Any]:
    """Received again since."""
    send(world.sqs, world.queue)
    handle = receive(world.sqs, world.queue, VisibilityTimeout=0)[0]["ReceiptHandle"]
    receive(world.sqs, world.queue)
    return {"QueueUrl": world.queue, "ReceiptHandle": handle, "VisibilityTimeout": 1}


def another_queue(world: World, operation: str) -> dict[str, Any]:
    name = world.queue.rpartition("/")[2]
    return {"QueueName": name, "Attributes": {"DelaySeconds": "77"}}


def purged(world: World, operation: str) -> dict[str, Any]:
    world.sqs.purge_queue(QueueUrl=world.queue)
    return {"QueueUrl": world.queue}


def all_in_flight(world: World, operation: str) -> dict[str, Any]:
    import msgspec

    name = ":".join(attributes_of(world.sqs, world.queue, "QueueArn")["QueueArn"].split(":")[3:])

    async def lower() -> None:
        info = await world.server.engine.get_queue(name)
        await world.server.engine.set_queue(name, msgspec.structs.replace(info.settings, max_in_flight=1))

    world.server.run(lower())
    for _ in range(2):
        send(world.sqs, world.queue)
    receive(world.sqs, world.queue)
    return {"QueueUrl": world.queue}


def bad_attribute(world: World, operation: str) -> dict[str, Any]:
    if operation == "GetQueueAttributes":
        return {"QueueUrl": world.queue, "AttributeNames": ["Size"]}
    return {**parameters_of(operation, world.queue), "Attributes": {"Size": "1"}}


ANYTHING = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
SCENARIOS: dict[str, Scenario] = {
    "BatchEntryIdsNotDistinct": lambda world, operation: world.entries(operation, "a", "a"),
    "BatchRequestTooLong": lambda world, operation: {
        "QueueUrl": world.queue,
        "Entries": [{"Id": each, "MessageBody": "x" * 600_000} for each in "ab"],
    },
    "EmptyBatchRequest": lambda world, operation: world.entries(operation),
    "InvalidAttributeName": bad_attribute,
    "InvalidAttributeValue": lambda world, operation: {
        **parameters_of(operation, world.queue),
        "Attributes": {"DelaySeconds": "901"},
    },
    "InvalidBatchEntryId": lambda world, operation: world.entries(operation, "a:b"),
    "InvalidMessageContents": lambda world, operation: {"QueueUrl": world.queue, "MessageBody": "\x08"},
    "MessageNotInflight": not_in_flight,
    "PurgeQueueInProgress": purged,
    "QueueDoesNotExist": no_queue,
    "QueueNameExists": another_queue,
    "ReceiptHandleIsInvalid": lambda world, operation: parameters_of(operation, world.queue),
    "ResourceNotFoundException": nothing_there,
    "TooManyEntriesInBatchRequest": lambda world, operation: world.entries(operation, *map(str, range(11))),
}
OF_AN_OPERATION: dict[tuple[str, str], Scenario] = {
    ("AddPermission", "OverLimit"): lambda world, operation: {
        **parameters_of(operation, world.queue),
        "Actions": ["SendMessage"] * 8,
    },
    ("ReceiveMessage", "OverLimit"): all_in_flight,
    ("SetQueueAttributes", "OverLimit"): lambda world, operation: {
        "QueueUrl": world.queue,
        "Attributes": {"Policy": json.dumps({"Statement": [ANYTHING] * 21})},
    },
}
GIVEN = [pair for pair in declared() if why_never(*pair) is None and pair != ("CreateQueue", "QueueDeletedRecently")]
"""The one left out needs a server of its own; it is tested in test_limits."""


@pytest.mark.parametrize(("operation", "error"), GIVEN)
def test_every_declared_error_is_given(sqs: Any, server: LiveServer, queue: str, operation: str, error: str) -> None:
    scenario = OF_AN_OPERATION.get((operation, error)) or SCENARIOS[error]
    parameters = scenario(World(sqs, server, queue), operation)
    method = _method(sqs, operation)
    code, shape, message = error_of(method, **parameters)
    assert shape == error
    assert code == ERRORS.get(error, (error, 400))[0]
    assert message
    assert isinstance(getattr(sqs.exceptions, error), type)


REQUIRED = [
    (name, member)
    for name in MODEL.operation_names
    for member in MODEL.operation_model(name).input_shape.required_members
]
OTHERWISE = {
    "Entries": "EmptyBatchRequest",
    "AWSAccountIds": "InvalidParameterValueException",
}
"""Required members whose absence is told in another way."""


@pytest.mark.parametrize(("operation", "member"), REQUIRED)
def test_every_required_member_is_asked_for(
    server: LiveServer, protocol: str, queue: str, operation: str, member: str
) -> None:
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    sqs = server.client(protocol=protocol, config=config)
    given = {name: value for name, value in parameters_of(operation, queue).items() if name != member}
    _, shape, message = error_of(_method(sqs, operation), **given)
    expected = OTHERWISE.get(member, "MissingRequiredParameterException")
    assert shape == expected
    if member not in OTHERWISE:
        assert message == f"The request must contain the parameter {member}."
    sqs.close()


def _method(sqs: Any, operation: str) -> Any:
    names = {api: python for python, api in sqs.meta.method_to_api_mapping.items()}
    return getattr(sqs, names[operation])

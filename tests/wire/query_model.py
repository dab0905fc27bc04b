"""The service model of SQS as it was when SDKs spoke the Query protocol, so that botocore speaks it again.

Today's model has the same shapes. What it lacks are the names of flattened lists and maps, the codes of errors and the
namespace; they are added here, from the model that botocore 1.29 shipped.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.loaders import Loader

NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"

LIST_ITEMS = {
    "AWSAccountIdList": "AWSAccountId",
    "ActionNameList": "ActionName",
    "AttributeNameList": "AttributeName",
    "BatchResultErrorEntryList": "BatchResultErrorEntry",
    "BinaryList": "BinaryListValue",
    "ChangeMessageVisibilityBatchRequestEntryList": "ChangeMessageVisibilityBatchRequestEntry",
    "ChangeMessageVisibilityBatchResultEntryList": "ChangeMessageVisibilityBatchResultEntry",
    "DeleteMessageBatchRequestEntryList": "DeleteMessageBatchRequestEntry",
    "DeleteMessageBatchResultEntryList": "DeleteMessageBatchResultEntry",
    "ListMessageMoveTasksResultEntryList": "ListMessageMoveTasksResultEntry",
    "MessageAttributeNameList": "MessageAttributeName",
    "MessageList": "Message",
    "MessageSystemAttributeList": "MessageSystemAttributeName",
    "QueueUrlList": "QueueUrl",
    "SendMessageBatchRequestEntryList": "SendMessageBatchRequestEntry",
    "SendMessageBatchResultEntryList": "SendMessageBatchResultEntry",
    "StringList": "StringListValue",
    "TagKeyList": "TagKey",
}
MEMBERS = {
    "CreateQueueRequest": {"Attributes": "Attribute", "tags": "Tag"},
    "GetQueueAttributesResult": {"Attributes": "Attribute"},
    "ListQueueTagsResult": {"Tags": "Tag"},
    "Message": {"Attributes": "Attribute", "MessageAttributes": "MessageAttribute"},
    "MessageAttributeValue": {"StringListValues": "StringListValue", "BinaryListValues": "BinaryListValue"},
    "MessageSystemAttributeValue": {"StringListValues": "StringListValue", "BinaryListValues": "BinaryListValue"},
    "SendMessageBatchRequestEntry": {
        "MessageAttributes": "MessageAttribute",
        "MessageSystemAttributes": "MessageSystemAttribute",
    },
    "SendMessageRequest": {
        "MessageAttributes": "MessageAttribute",
        "MessageSystemAttributes": "MessageSystemAttribute",
    },
    "SetQueueAttributesRequest": {"Attributes": "Attribute"},
    "TagQueueRequest": {"Tags": "Tag"},
}
PREFIX = "AWS.SimpleQueueService."
ERRORS = {
    "BatchEntryIdsNotDistinct": (PREFIX + "BatchEntryIdsNotDistinct", 400),
    "BatchRequestTooLong": (PREFIX + "BatchRequestTooLong", 400),
    "EmptyBatchRequest": (PREFIX + "EmptyBatchRequest", 400),
    "InvalidBatchEntryId": (PREFIX + "InvalidBatchEntryId", 400),
    "MessageNotInflight": (PREFIX + "MessageNotInflight", 400),
    "OverLimit": ("OverLimit", 403),
    "PurgeQueueInProgress": (PREFIX + "PurgeQueueInProgress", 403),
    "QueueDeletedRecently": (PREFIX + "QueueDeletedRecently", 400),
    "QueueDoesNotExist": (PREFIX + "NonExistentQueue", 400),
    "QueueNameExists": ("QueueAlreadyExists", 400),
    "ResourceNotFoundException": ("ResourceNotFoundException", 404),
    "TooManyEntriesInBatchRequest": (PREFIX + "TooManyEntriesInBatchRequest", 400),
    "UnsupportedOperation": (PREFIX + "UnsupportedOperation", 400),
}
"""By shape: the code in the Query protocol and the HTTP status, in both protocols."""
BEYOND_THE_MODEL = {
    "AccessDeniedException": "AccessDenied",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "InvalidParameterValueException": "InvalidParameterValue",
    "MissingRequiredParameterException": "MissingParameter",
}
SHAPE_OF_CODE = {code: shape for shape, (code, _) in ERRORS.items()} | {
    code: shape for shape, code in BEYOND_THE_MODEL.items()
}
"""What the JSON protocol calls the error with this code of the Query protocol; codes not here are called the same."""


@cache
def query_model() -> dict[str, Any]:
    """The contents of a `service-2.json` for the Query protocol."""
    model: dict[str, Any] = json.loads(json.dumps(Loader().load_service_model("sqs", "service-2")))
    metadata = model["metadata"]
    for name in ("jsonVersion", "targetPrefix", "awsQueryCompatible", "protocols"):
        metadata.pop(name, None)
    metadata |= {"protocol": "query", "xmlNamespace": NAMESPACE}
    for operation in model["operations"].values():
        if "output" in operation:
            operation["output"]["resultWrapper"] = operation["name"] + "Result"
    for name, shape in model["shapes"].items():
        _mend(name, shape)
    return model


def _mend(name: str, shape: dict[str, Any]) -> None:
    if name in LIST_ITEMS:
        shape["member"]["locationName"] = LIST_ITEMS[name]
    if shape["type"] == "map":
        shape["key"]["locationName"] = "Key" if name == "TagMap" else "Name"
        shape["value"]["locationName"] = "Value"
    for member, location in MEMBERS.get(name, {}).items():
        shape["members"][member]["locationName"] = location
    if name in ERRORS:
        code, status = ERRORS[name]
        shape["error"] = {"code": code, "httpStatusCode": status, "senderFault": True}


def query_session(folder: Path) -> boto3.Session:
    """A session whose SQS clients speak Query. `folder` is where the model is written."""
    path = folder / "models" / "sqs" / "2012-11-05" / "service-2.json"
    if not path.exists():
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(query_model()))
    session = botocore.session.get_session()
    session.get_component("data_loader").search_paths.insert(0, str(folder / "models"))
    return boto3.Session(botocore_session=session)

"""What is written on a queue: tags and permissions; and who calls."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.wire.asking import NewName, attributes_of, error_of
from tests.wire.live import ACCOUNT, REGION, LiveServer

INVALID = ("InvalidParameterValue", "InvalidParameterValueException")
MISSING = ("MissingParameter", "MissingRequiredParameterException")
GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "The specified queue does not exist.")


def test_tags_are_set_changed_and_taken_away(sqs: Any, queue: str) -> None:
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=queue)
    sqs.tag_queue(QueueUrl=queue, Tags={"tag1": "value1", "tag2": "value2", "tag3": ""})
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"tag1": "value1", "tag2": "value2", "tag3": ""}
    sqs.tag_queue(QueueUrl=queue, Tags={"tag1": "new", "Tag1": "é & <"})
    sqs.untag_queue(QueueUrl=queue, TagKeys=["tag2", "tag3", "unknown"])
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"tag1": "new", "Tag1": "é & <"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "1"})
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"tag1": "new", "Tag1": "é & <"}
    assert not any(name.startswith("tag") for name in attributes_of(sqs, queue))
    sqs.untag_queue(QueueUrl=queue, TagKeys=["tag1", "Tag1"])
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=queue)


def test_a_queue_is_created_with_tags(sqs: Any, new_name: NewName) -> None:
    url = sqs.create_queue(QueueName=new_name(), tags={"team": "a"})["QueueUrl"]
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "a"}


def test_the_limits_of_tags(sqs: Any, queue: str, new_name: NewName) -> None:
    name = queue.rpartition("/")[2]
    fifty = {f"k{n}": "v" for n in range(50)}
    too_many = f"Too many tags added for queue {name}."
    assert error_of(sqs.tag_queue, QueueUrl=queue, Tags={**fifty, "more": ""}) == (*INVALID, too_many)
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=queue)
    sqs.tag_queue(QueueUrl=queue, Tags=fifty)
    assert error_of(sqs.tag_queue, QueueUrl=queue, Tags={"more": ""})[2] == too_many
    sqs.tag_queue(QueueUrl=queue, Tags={"k1": "other"})
    assert error_of(sqs.create_queue, QueueName=(new := new_name()), tags={**fifty, "more": ""}) == (
        *INVALID,
        f"Too many tags added for queue {new}.",
    )
    sqs.untag_queue(QueueUrl=queue, TagKeys=list(fifty))
    sqs.tag_queue(QueueUrl=queue, Tags={"k" * 128: "v" * 256})
    bad_key = "Tag keys must be between 1 and 128 characters in length."
    for key, value, message in (
        ("k" * 129, "v", bad_key),
        ("", "v", bad_key),
        ("k", "v" * 257, "Tag values must be between 0 and 256 characters in length."),
        ("aws:k", "v", "Tag keys cannot begin with 'aws:', which is reserved for AWS use."),
    ):
        assert error_of(sqs.tag_queue, QueueUrl=queue, Tags={key: value}) == (*INVALID, message)
    assert error_of(sqs.tag_queue, QueueUrl=queue, Tags={}) == (
        *MISSING,
        "The request must contain the parameter Tags.",
    )


def test_untagging_needs_keys(sqs: Any, protocol: str, queue: str) -> None:
    code, _, message = error_of(sqs.untag_queue, QueueUrl=queue, TagKeys=[])
    assert (code, message) == (
        ("MissingParameter", "The request must contain the parameter TagKeys.")
        if protocol == "query"  # which cannot tell an empty list from none
        else ("InvalidParameterValue", "Tag keys must be between 1 and 128 characters in length.")
    )


def test_a_policy_grows_and_shrinks_by_label(sqs: Any, queue: str) -> None:
    arn = attributes_of(sqs, queue, "QueueArn")["QueueArn"]
    sqs.add_permission(QueueUrl=queue, Label="first", AWSAccountIds=[ACCOUNT, "668614515564"], Actions=["SendMessage"])
    first = {
        "Sid": "first",
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", "arn:aws:iam::668614515564:root"]},
        "Action": "SQS:SendMessage",
        "Resource": arn,
    }
    policy = {"Version": "2008-10-17", "Id": f"{arn}/SQSDefaultPolicy", "Statement": [first]}
    assert json.loads(attributes_of(sqs, queue, "Policy")["Policy"]) == policy
    again = error_of(sqs.add_permission, QueueUrl=queue, Label="first", AWSAccountIds=[ACCOUNT], Actions=["*"])
    assert again == (*INVALID, "Value first for parameter Label is invalid. Reason: Already exists.")
    actions = ["ReceiveMessage", "DeleteMessage"]
    sqs.add_permission(QueueUrl=queue, Label="second", AWSAccountIds=[ACCOUNT], Actions=actions)
    second = {
        **first,
        "Sid": "second",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": ["SQS:ReceiveMessage", "SQS:DeleteMessage"],
    }
    assert json.loads(attributes_of(sqs, queue, "Policy")["Policy"])["Statement"] == [first, second]
    assert error_of(sqs.remove_permission, QueueUrl=queue, Label="third") == (
        *INVALID,
        "Value third for parameter Label is invalid. Reason: can't find label on existing policy.",
    )
    sqs.remove_permission(QueueUrl=queue, Label="first")
    assert json.loads(attributes_of(sqs, queue, "Policy")["Policy"])["Statement"] == [second]
    sqs.remove_permission(QueueUrl=queue, Label="second")
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])
    assert error_of(sqs.remove_permission, QueueUrl=queue, Label="second") == (
        *INVALID,
        "Value second for parameter Label is invalid. Reason: can't find label.",
    )


def test_a_permission_joins_the_policy_that_was_set(sqs: Any, queue: str) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    mine = {"Version": "2012-10-17", "Id": "mine", "Statement": statement}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(mine)})
    assert json.loads(attributes_of(sqs, queue, "Policy")["Policy"]) == mine
    sqs.add_permission(QueueUrl=queue, Label="l", AWSAccountIds=[ACCOUNT], Actions=["GetQueueUrl"])
    found = json.loads(attributes_of(sqs, queue, "Policy")["Policy"])
    assert (found["Version"], found["Id"]) == ("2012-10-17", "mine")
    assert found["Statement"][0] == statement
    assert found["Statement"][1]["Sid"] == "l"


WSDL = "Please refer to the appropriate WSDL for a list of valid actions."
OWNER = "Only the queue owner is allowed to invoke this action."
LABEL = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length."
SEVEN = [
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Actions": ["Fly"]}, (*INVALID, f"Value SQS:Fly for parameter ActionName is invalid. Reason: {WSDL}")),
        (
            {"Actions": ["TagQueue"]},
            (*INVALID, f"Value SQS:TagQueue for parameter ActionName is invalid. Reason: {OWNER}"),
        ),
        ({"Actions": []}, (*MISSING, "The request must contain the parameter Actions.")),
        ({"Actions": [*SEVEN, "*"]}, ("OverLimit", "OverLimit", "8 Actions were found, maximum allowed is 7.")),
        (
            {"AWSAccountIds": []},
            (*INVALID, "Value [] for parameter PrincipalId is invalid. Reason: Unable to verify."),
        ),
        (
            {"AWSAccountIds": ["arn:aws:iam::1:user/x"]},
            (
                *INVALID,
                "Value arn:aws:iam::1:user/x for parameter PrincipalId is invalid. Reason: Unable to verify principal.",
            ),
        ),
        (
            {"Label": "a b"},
            (*INVALID, f"Value a b for parameter Label is invalid. Reason: {LABEL}"),
        ),
    ],
)
def test_permissions_that_cannot_be_given(sqs: Any, queue: str, change: dict[str, Any], expected: object) -> None:
    given = {"QueueUrl": queue, "Label": "l", "AWSAccountIds": [ACCOUNT], "Actions": ["SendMessage"]}
    assert error_of(sqs.add_permission, **{**given, **change}) == expected
    assert "Policy" not in attributes_of(sqs, queue)


def test_the_limits_of_permissions(sqs: Any, queue: str) -> None:
    for n in range(20):
        actions = SEVEN if n < 10 else SEVEN[:1]
        sqs.add_permission(QueueUrl=queue, Label=f"{n:080}", AWSAccountIds=[ACCOUNT], Actions=actions)
    more = {"QueueUrl": queue, "Label": "x", "AWSAccountIds": [ACCOUNT], "Actions": SEVEN}
    assert error_of(sqs.add_permission, **more)[:2] == ("OverLimit", "OverLimit")
    assert error_of(sqs.add_permission, **{**more, "Label": "x" * 81})[0] == "InvalidParameterValue"


def test_the_size_of_a_policy(sqs: Any, queue: str) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}

    def policy(id_characters: int) -> str:
        return json.dumps({"Id": "x" * id_characters, "Statement": [statement]}, separators=(",", ":"))

    frame = len(policy(0))
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy(8_192 - frame)})
    set_it = {"QueueUrl": queue, "Attributes": {"Policy": policy(8_193 - frame)}}
    assert error_of(sqs.set_queue_attributes, **set_it)[0] == "InvalidAttributeValue"
    long = policy(7_500)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": long})
    accounts = [f"{n:012}" for n in range(20)]
    given = {"QueueUrl": queue, "Label": "l", "AWSAccountIds": accounts, "Actions": ["SendMessage"]}
    too_long = ("OverLimit", "OverLimit", "The policy would be longer than 8192 bytes.")
    assert error_of(sqs.add_permission, **given) == too_long
    assert attributes_of(sqs, queue, "Policy")["Policy"] == long
    sqs.add_permission(**{**given, "AWSAccountIds": [ACCOUNT]})


def test_how_much_a_policy_says(sqs: Any, queue: str) -> None:
    def policy(statements: int = 1, principals: int = 1, conditions: int = 1) -> dict[str, str]:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": [f"{n:012}" for n in range(principals)]},
            "Action": "sqs:SendMessage",
            "Resource": "*",
            "Condition": {"StringEquals": {f"aws:RequestTag/{n}": "x" for n in range(conditions)}},
        }
        return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement] * statements})}

    for good in (policy(principals=50), policy(conditions=10), policy(statements=10)):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=good)
    for what, most, bad in (
        ("statements", 20, policy(statements=21, conditions=0)),
        ("principals", 50, policy(principals=51)),
        ("conditions", 10, policy(conditions=11)),
    ):
        message = f"{most + 1} {what} were found in the submitted policy, max allowed is {most}"
        found = error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes=bad)
        assert found == ("OverLimit", "OverLimit", message)


@pytest.mark.parametrize(
    "policy",
    [
        "nonsense",
        "[]",
        '"text"',
        "{}",
        '{"Version": "2012-10-17", "Statement": []}',
        '{"Version": "1999-01-01", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*"}}',
        '{"Owner": "x", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*"}}',
        '{"Statement": {"Owner": "x", "Effect": "Allow", "Principal": "*", "Action": "*"}}',
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Condition": 5}}',
        '{"Statement": 5}',
        '{"Statement": [5]}',
        '{"Statement": {"Effect": "Perhaps", "Principal": "*", "Action": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*"}}',
        '{"Statement": {"Effect": "Allow", "Principal": "*"}}',
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": [5]}}',
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": []}}',
        "[" * 5000,
    ],
)
def test_what_is_no_policy(sqs: Any, queue: str, policy: str) -> None:
    assert error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"Policy": policy}) == (
        "InvalidAttributeValue",
        "InvalidAttributeValue",
        "Invalid value for the parameter Policy.",
    )


def test_an_action_in_a_policy_must_exist(sqs: Any, queue: str) -> None:
    def policy(action: str) -> dict[str, str]:
        statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*"}
        return {"Policy": json.dumps({"Statement": [statement]})}

    for action in ("sqs:*", "SQS:SendMessage", "sqs:sendmessage", "*", "sqs:Get*"):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=policy(action))
    for action in ("SQS:ChangeMessageVisibilityBatch", "sns:Publish"):
        assert error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes=policy(action)) == (
            *INVALID,
            f"Value {action} for parameter ActionName is invalid. Reason: {WSDL}",
        )


def test_none_of_this_without_the_queue(sqs: Any, queue: str) -> None:
    gone = queue + "-gone"
    assert error_of(sqs.tag_queue, QueueUrl=gone, Tags={"a": "b"}) == GONE
    assert error_of(sqs.untag_queue, QueueUrl=gone, TagKeys=["a"]) == GONE
    assert error_of(sqs.list_queue_tags, QueueUrl=gone) == GONE
    assert error_of(sqs.add_permission, QueueUrl=gone, Label="l", AWSAccountIds=[ACCOUNT], Actions=["*"]) == GONE
    assert error_of(sqs.remove_permission, QueueUrl=gone, Label="l") == GONE
    assert error_of(sqs.list_dead_letter_source_queues, QueueUrl=gone) == GONE


def test_the_sources_of_a_dead_letter_queue(sqs: Any, queue: str, new_name: NewName) -> None:
    assert sqs.list_dead_letter_source_queues(QueueUrl=queue).get("queueUrls", []) == []
    arn = attributes_of(sqs, queue, "QueueArn")["QueueArn"]
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})}
    sources = sorted(sqs.create_queue(QueueName=new_name(), Attributes=policy)["QueueUrl"] for _ in range(3))
    sqs.create_queue(QueueName=new_name())
    whole = sqs.list_dead_letter_source_queues(QueueUrl=queue)
    assert whole["queueUrls"] == sources
    assert "NextToken" not in whole
    first = sqs.list_dead_letter_source_queues(QueueUrl=queue, MaxResults=2)
    assert first["queueUrls"] == sources[:2]
    rest = sqs.list_dead_letter_source_queues(QueueUrl=queue, MaxResults=2, NextToken=first["NextToken"])
    assert rest["queueUrls"] == sources[2:]
    assert "NextToken" not in rest
    assert "NextToken" not in sqs.list_dead_letter_source_queues(QueueUrl=queue, MaxResults=3)
    for limit in (0, 1001):
        assert error_of(sqs.list_dead_letter_source_queues, QueueUrl=queue, MaxResults=limit) == (
            *INVALID,
            f"Value {limit} for parameter MaxResults is invalid. Reason: Must be between 1 and 1000, if provided.",
        )
    assert error_of(sqs.list_dead_letter_source_queues, QueueUrl=queue, MaxResults=1, NextToken="junk") == (
        *INVALID,
        "Invalid or expired next token.",
    )
    sqs.set_queue_attributes(QueueUrl=sources[0], Attributes={"RedrivePolicy": ""})
    assert sqs.list_dead_letter_source_queues(QueueUrl=queue)["queueUrls"] == sources[1:]


def test_the_caller_is_told_who_it_is(server: LiveServer) -> None:
    sts = boto3.client(
        "sts",
        endpoint_url=server.url,
        region_name=REGION,
        aws_access_key_id=server.access_key.id,
        aws_secret_access_key=server.access_key.secret,
        config=Config(retries={"total_max_attempts": 1}),
    )
    found = sts.get_caller_identity()
    assert (found["Account"], found["UserId"]) == (ACCOUNT, server.access_key.id)
    assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{server.access_key.id}"
    assert error_of(sts.get_session_token) == (
        "InvalidAction",
        "InvalidAction",
        "The action GetSessionToken is not valid for this endpoint.",
    )
    sts.close()


def test_a_wrong_key_is_told_so_by_sts_too(server: LiveServer) -> None:
    sts = boto3.client(
        "sts",
        endpoint_url=server.url,
        region_name=REGION,
        aws_access_key_id=server.access_key.id,
        aws_secret_access_key="x" * 40,
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(sts.exceptions.ClientError) as caught:
        sts.get_caller_identity()
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    sts.close()

"""Queue operations as boto3 sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.wire.asking import NewName, attributes_of, error_of
from tests.wire.live import ACCOUNT, REGION, LiveServer

POLICY = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*"}}'


def test_a_queue_is_created_found_and_deleted(sqs: Any, server: LiveServer, new_name: NewName) -> None:
    name = new_name()
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    assert url == f"{server.url}/{ACCOUNT}/{name}"
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == url
    assert sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=ACCOUNT)["QueueUrl"] == url
    sqs.delete_queue(QueueUrl=url)
    missing = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "The specified queue does not exist.")
    assert error_of(sqs.get_queue_url, QueueName=name) == missing
    assert error_of(sqs.delete_queue, QueueUrl=url) == missing
    assert error_of(sqs.send_message, QueueUrl=url, MessageBody="x") == missing
    assert error_of(sqs.receive_message, QueueUrl=url) == missing
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.purge_queue(QueueUrl=url)


def test_the_attributes_of_a_new_queue(sqs: Any, queue: str) -> None:
    found = attributes_of(sqs, queue)
    assert int(found.pop("CreatedTimestamp")) == int(found.pop("LastModifiedTimestamp"))
    assert found == {
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "DelaySeconds": "0",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.rpartition('/')[2]}",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    }


def test_the_attributes_of_a_new_fifo_queue(sqs: Any, fifo: str) -> None:
    found = attributes_of(sqs, fifo)
    assert {name: found[name] for name in found if "Fifo" in name or "Dedup" in name} == {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "false",
        "DeduplicationScope": "queue",
        "FifoThroughputLimit": "perQueue",
    }


def test_attributes_can_be_asked_for_by_name(sqs: Any, queue: str) -> None:
    assert attributes_of(sqs, queue, "VisibilityTimeout") == {"VisibilityTimeout": "30"}
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue)
    assert error_of(sqs.get_queue_attributes, QueueUrl=queue, AttributeNames=["Size"]) == (
        "InvalidAttributeName",
        "InvalidAttributeName",
        "Unknown Attribute Size.",
    )


def test_attributes_are_set_and_kept(sqs: Any, server: LiveServer, queue: str) -> None:
    server.clock.advance(2)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "5", "Policy": POLICY})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "7"})
    found = attributes_of(sqs, queue)
    assert (found["VisibilityTimeout"], found["DelaySeconds"]) == ("5", "7")
    assert found["Policy"] == POLICY
    assert int(found["LastModifiedTimestamp"]) > int(found["CreatedTimestamp"])
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
    assert "Policy" not in attributes_of(sqs, queue)


ENCRYPTION = ("KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled")


def test_a_key_takes_the_place_of_the_services_own_encryption(sqs: Any, queue: str) -> None:
    def stated(**changes: str) -> dict[str, str]:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=changes)
        return attributes_of(sqs, queue, *ENCRYPTION)

    keyed = {"KmsMasterKeyId": "a-key", "KmsDataKeyReusePeriodSeconds": "6000"}
    assert stated(**keyed) == {**keyed, "SqsManagedSseEnabled": "false"}
    assert error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"SqsManagedSseEnabled": "true"}) == (
        "InvalidAttributeName",
        "InvalidAttributeName",
        "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
    )
    assert stated(KmsMasterKeyId="", KmsDataKeyReusePeriodSeconds="300") == {"SqsManagedSseEnabled": "false"}
    assert stated(SqsManagedSseEnabled="true") == {"SqsManagedSseEnabled": "true"}
    assert stated(KmsMasterKeyId="a-key") == {"KmsMasterKeyId": "a-key", "SqsManagedSseEnabled": "false"}


def test_a_queue_is_created_with_a_key(sqs: Any, new_name: NewName) -> None:
    name, given = new_name(), {"KmsMasterKeyId": "a-key", "KmsDataKeyReusePeriodSeconds": "300"}
    url = sqs.create_queue(QueueName=name, Attributes=given)["QueueUrl"]
    assert attributes_of(sqs, url, *ENCRYPTION) == {"KmsMasterKeyId": "a-key", "SqsManagedSseEnabled": "false"}
    assert sqs.create_queue(QueueName=name, Attributes=given)["QueueUrl"] == url
    other = {**given, "KmsDataKeyReusePeriodSeconds": "60"}
    assert error_of(sqs.create_queue, QueueName=name, Attributes=other)[0] == "QueueAlreadyExists"


def test_creating_again_gives_the_url_unless_an_attribute_differs(sqs: Any, new_name: NewName) -> None:
    name = new_name()
    attributes = {"VisibilityTimeout": "40", "DelaySeconds": "1"}
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    assert sqs.create_queue(QueueName=name, Attributes=attributes, tags={"team": "a"})["QueueUrl"] == url
    assert sqs.create_queue(QueueName=name)["QueueUrl"] == url
    assert sqs.create_queue(QueueName=name, Attributes={"MaximumMessageSize": "1048576"})["QueueUrl"] == url
    assert error_of(sqs.create_queue, QueueName=name, Attributes={"DelaySeconds": "2"}) == (
        "QueueAlreadyExists",
        "QueueNameExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    )


@pytest.mark.parametrize("name", ["", "x" * 81, "a b", "a.b", "ééwwà)", "a/b", "jobs.fifo", "a:b", "a\nb"])
def test_names_that_no_queue_can_have(sqs: Any, name: str) -> None:
    assert error_of(sqs.create_queue, QueueName=name)[0] == "InvalidParameterValue"


def test_a_fifo_queue_ends_in_fifo(sqs: Any, new_name: NewName) -> None:
    fifo = {"FifoQueue": "true"}
    code, _, message = error_of(sqs.create_queue, QueueName=new_name(), Attributes=fifo)
    assert code == "InvalidParameterValue"
    assert "must end with .fifo suffix" in message
    assert sqs.create_queue(QueueName="x" * 75 + ".fifo", Attributes=fifo)["QueueUrl"].endswith(".fifo")
    assert error_of(sqs.create_queue, QueueName="x" * 76 + ".fifo", Attributes=fifo)[0] == "InvalidParameterValue"
    assert error_of(sqs.create_queue, QueueName=new_name(), Attributes={"FifoQueue": "false"}) == (
        "InvalidAttributeName",
        "InvalidAttributeName",
        "Unknown Attribute FifoQueue.",
    )


def test_queues_are_listed_by_prefix_and_page(fresh_server: Callable[..., LiveServer], protocol: str) -> None:
    live = fresh_server()
    sqs = live.client(protocol=protocol)
    assert "QueueUrls" not in sqs.list_queues()
    urls = [sqs.create_queue(QueueName=f"a-{n:02}")["QueueUrl"] for n in range(7)]
    other = sqs.create_queue(QueueName="b")["QueueUrl"]
    assert sqs.list_queues()["QueueUrls"] == [*urls, other]
    assert sqs.list_queues(QueueNamePrefix="a-")["QueueUrls"] == urls
    pages = list(sqs.get_paginator("list_queues").paginate(QueueNamePrefix="a-", PaginationConfig={"PageSize": 3}))
    assert [len(page["QueueUrls"]) for page in pages] == [3, 3, 1]
    assert [url for page in pages for url in page["QueueUrls"]] == urls
    assert "NextToken" not in sqs.list_queues(MaxResults=8)
    assert live.client(region_name="us-west-2").list_queues().get("QueueUrls") is None
    for limit in (0, 1001):
        assert error_of(sqs.list_queues, MaxResults=limit)[0] == "InvalidParameterValue"
    for token in ("junk", "Zm9v", "é"):
        assert error_of(sqs.list_queues, MaxResults=1, NextToken=token)[0] == "InvalidParameterValue"
    sqs.close()


def test_a_purge_empties_the_queue_and_not_twice_in_a_minute(sqs: Any, server: LiveServer, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="gone")
    sqs.purge_queue(QueueUrl=queue)
    assert attributes_of(sqs, queue, "ApproximateNumberOfMessages") == {"ApproximateNumberOfMessages": "0"}
    name = queue.rpartition("/")[2]
    with pytest.raises(sqs.exceptions.PurgeQueueInProgress) as caught:
        sqs.purge_queue(QueueUrl=queue)
    response = caught.value.response
    assert response["Error"]["Code"] == "AWS.SimpleQueueService.PurgeQueueInProgress"
    assert response["Error"]["Message"] == f"Only one PurgeQueue operation on {name} is allowed every 60 seconds."
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403
    server.clock.advance(60)
    sqs.purge_queue(QueueUrl=queue)


def test_the_receive_count_of_a_redrive_policy_is_told_as_a_number(sqs: Any, queue: str, new_name: NewName) -> None:
    target, name = attributes_of(sqs, queue, "QueueArn")["QueueArn"], new_name()
    given, told = (
        {"RedrivePolicy": json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": count})} for count in ("5", 5)
    )
    url = sqs.create_queue(QueueName=name, Attributes=given)["QueueUrl"]
    found = attributes_of(sqs, url, "RedrivePolicy")["RedrivePolicy"]
    assert json.loads(found) == json.loads(told["RedrivePolicy"])
    assert sqs.create_queue(QueueName=name, Attributes=given)["QueueUrl"] == url
    assert sqs.create_queue(QueueName=name, Attributes=told)["QueueUrl"] == url


def test_a_dead_letter_queue_must_exist_and_fit(sqs: Any, fifo: str, queue: str, new_name: NewName) -> None:
    here = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"

    def policy(target: str, count: object = 3) -> dict[str, str]:
        return {"RedrivePolicy": json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": count})}

    dead = new_name()
    sqs.create_queue(QueueName=dead)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=policy(here + dead, 5))
    assert attributes_of(sqs, queue, "RedrivePolicy") == policy(here + dead, 5)
    for target, reason in (
        (here + "nowhere", "Dead letter target does not exist."),
        (here + fifo.rpartition("/")[2], "Dead-letter queue must be same type of queue as the source."),
        (f"arn:aws:sqs:us-east-1:{ACCOUNT}:{dead}", "Dead-letter target owner should be same as the source."),
        (here + queue.rpartition("/")[2], "Dead-letter target must be another queue than the source."),
        ("dummy", "Invalid value for deadLetterTargetArn."),
        ("arn:aws:sns:us-east-1:1:t", "Only SQS queues are valid resources for deadLetterTargetArn."),
    ):
        given = policy(target)
        code, shape, message = error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes=given)
        assert (code, shape) == ("InvalidParameterValue", "InvalidParameterValueException")
        assert message == f"Value {given['RedrivePolicy']} for parameter RedrivePolicy is invalid. Reason: {reason}"
    assert attributes_of(sqs, queue, "RedrivePolicy") == policy(here + dead, 5)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": ""})
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])


def test_a_redrive_allow_policy_is_enforced(sqs: Any, queue: str, new_name: NewName) -> None:
    here = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
    given = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": here + (dead := new_name()), "maxReceiveCount": 1})}
    sqs.create_queue(QueueName=dead, Attributes={"RedriveAllowPolicy": '{"redrivePermission":"denyAll"}'})
    dead_url = sqs.get_queue_url(QueueName=dead)["QueueUrl"]
    assert "redrive allow policy" in error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes=given)[2]
    name = queue.rpartition("/")[2]
    for sources, allowed in (([here + "other"], False), ([here + "other", here + name], True)):
        allow = {"redrivePermission": "byQueue", "sourceQueueArns": sources}
        sqs.set_queue_attributes(QueueUrl=dead_url, Attributes={"RedriveAllowPolicy": json.dumps(allow)})
        if allowed:
            sqs.set_queue_attributes(QueueUrl=queue, Attributes=given)
        else:
            assert error_of(sqs.set_queue_attributes, QueueUrl=queue, Attributes=given)[0] == "InvalidParameterValue"


def test_messages_received_too_often_move_to_the_dead_letter_queue(
    sqs: Any, server: LiveServer, queue: str, new_name: NewName
) -> None:
    dead = sqs.create_queue(QueueName=new_name())["QueueUrl"]
    arn = attributes_of(sqs, dead, "QueueArn")["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "10"})
    sent = sqs.send_message(
        QueueUrl=queue, MessageBody="poison", MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}}
    )
    for _ in range(2):
        assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1
        server.clock.advance(10)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    found = sqs.receive_message(
        QueueUrl=dead, WaitTimeSeconds=5, AttributeNames=["All"], MessageAttributeNames=["All"]
    )["Messages"][0]
    assert (found["MessageId"], found["Body"]) == (sent["MessageId"], "poison")
    assert found["MessageAttributes"]["k"]["StringValue"] == "v"
    assert found["Attributes"]["DeadLetterQueueSourceArn"] == attributes_of(sqs, queue, "QueueArn")["QueueArn"]
    assert found["Attributes"]["ApproximateReceiveCount"] == "3"
    sqs.change_message_visibility(QueueUrl=dead, ReceiptHandle=found["ReceiptHandle"], VisibilityTimeout=0)
    sqs.delete_queue(QueueUrl=queue)
    again = sqs.receive_message(QueueUrl=dead, AttributeNames=["ApproximateReceiveCount"])["Messages"][0]
    assert again["Attributes"] == {"ApproximateReceiveCount": "2"}


def test_the_queue_of_another_account_is_refused(sqs: Any, server: LiveServer, protocol: str, queue: str) -> None:
    name = queue.rpartition("/")[2]
    foreign = f"{server.url}/999999999999/{name}"
    code, shape, _ = error_of(sqs.send_message, QueueUrl=foreign, MessageBody="x")
    assert (code, shape) == ("AccessDenied", "AccessDeniedException")
    assert error_of(sqs.get_queue_url, QueueName=name, QueueOwnerAWSAccountId="999999999999")[0] == "AccessDenied"
    assert error_of(sqs.delete_queue, QueueUrl=foreign)[0] == "AccessDenied"
    sqs.send_message(QueueUrl=queue, MessageBody="mine")
    other = server.keys.create_access_key("other", account="999999999999")
    theirs = server.client(protocol=protocol, aws_access_key_id=other.id, aws_secret_access_key=other.secret)
    assert error_of(theirs.receive_message, QueueUrl=queue)[0] == "AccessDenied"
    theirs.close()


@pytest.mark.parametrize(
    "url",
    [
        "https://sqs.eu-west-1.amazonaws.com/123456789012/{name}",
        "http://elsewhere:1/123456789012/{name}",
        "http://localhost:4566/queue/{name}",
        "{name}",
    ],
)
def test_queue_urls_are_understood_under_any_host(sqs: Any, queue: str, url: str) -> None:
    sqs.send_message(QueueUrl=url.format(name=queue.rpartition("/")[2]), MessageBody="x")
    assert attributes_of(sqs, queue, "ApproximateNumberOfMessages") == {"ApproximateNumberOfMessages": "1"}


def test_urls_are_told_under_the_host_the_client_used(server: LiveServer, protocol: str, new_name: NewName) -> None:
    sqs = server.client(protocol=protocol, endpoint_url=f"http://localhost:{server.server.port}")
    assert sqs.create_queue(QueueName=new_name())["QueueUrl"].startswith(f"http://localhost:{server.server.port}/")
    sqs.close()

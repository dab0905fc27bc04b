"""The SQS operations' inputs and outputs, named as the service model names them.

Source: the AWS SDK's service model for `sqs`, version 2012-11-05. Both wire protocols decode into these and
encode from them. Inputs leave everything optional: what is required is checked by the operation, which
answers with the error SQS gives. Absent members are left out of answers, never null.
"""

from __future__ import annotations

import msgspec
from msgspec import field


class MessageAttributeValue(msgspec.Struct, rename="pascal", omit_defaults=True, kw_only=True):
    """A typed value beside the body. The list members are reserved by AWS and refused."""

    string_value: str | None = None
    binary_value: bytes | None = None
    string_list_values: list[str] | None = None
    binary_list_values: list[bytes] | None = None
    data_type: str | None = None


Attributes = dict[str, str]
MessageAttributes = dict[str, MessageAttributeValue]


class Shape(msgspec.Struct, rename="pascal", omit_defaults=True, kw_only=True):
    """Base of all inputs and outputs."""


class QueueInput(Shape):
    """Base of the inputs that name a queue."""

    queue_url: str | None = None


class BatchResultErrorEntry(Shape):
    """An entry that failed. The model requires the list of them; the service leaves it out when none did."""

    id: str
    sender_fault: bool
    code: str
    message: str | None = None


# --- queues -------------------------------------------------------------------------------------------------


class CreateQueueInput(Shape):
    queue_name: str | None = None
    attributes: Attributes | None = None
    tags: Attributes | None = field(name="tags", default=None)


class QueueUrlOutput(Shape):
    queue_url: str


class GetQueueUrlInput(Shape):
    queue_name: str | None = None
    queue_owner_aws_account_id: str | None = field(name="QueueOwnerAWSAccountId", default=None)


class ListQueuesInput(Shape):
    queue_name_prefix: str | None = None
    next_token: str | None = None
    max_results: int | None = None


class ListQueuesOutput(Shape):
    queue_urls: list[str] | None = None
    next_token: str | None = None


class DeleteQueueInput(QueueInput):
    pass


class PurgeQueueInput(QueueInput):
    pass


class GetQueueAttributesInput(QueueInput):
    attribute_names: list[str] | None = None


class GetQueueAttributesOutput(Shape):
    attributes: Attributes | None = None


class SetQueueAttributesInput(QueueInput):
    attributes: Attributes | None = None


class TagQueueInput(QueueInput):
    tags: Attributes | None = None


class UntagQueueInput(QueueInput):
    tag_keys: list[str] | None = None


class ListQueueTagsInput(QueueInput):
    pass


class ListQueueTagsOutput(Shape):
    tags: Attributes | None = None


class AddPermissionInput(QueueInput):
    label: str | None = None
    aws_account_ids: list[str] | None = field(name="AWSAccountIds", default=None)
    actions: list[str] | None = None


class RemovePermissionInput(QueueInput):
    label: str | None = None


class ListDeadLetterSourceQueuesInput(QueueInput):
    next_token: str | None = None
    max_results: int | None = None


class ListDeadLetterSourceQueuesOutput(Shape):
    queue_urls: list[str] = field(name="queueUrls")
    next_token: str | None = None


# --- sending ------------------------------------------------------------------------------------------------


class SendMessageInput(QueueInput):
    message_body: str | None = None
    delay_seconds: int | None = None
    message_attributes: MessageAttributes | None = None
    message_system_attributes: MessageAttributes | None = None
    message_deduplication_id: str | None = None
    message_group_id: str | None = None


class SendMessageOutput(Shape):
    message_id: str
    md5_of_message_body: str = field(name="MD5OfMessageBody")
    md5_of_message_attributes: str | None = field(name="MD5OfMessageAttributes", default=None)
    md5_of_message_system_attributes: str | None = field(name="MD5OfMessageSystemAttributes", default=None)
    sequence_number: str | None = None


class SendMessageBatchRequestEntry(Shape):
    id: str | None = None
    message_body: str | None = None
    delay_seconds: int | None = None
    message_attributes: MessageAttributes | None = None
    message_system_attributes: MessageAttributes | None = None
    message_deduplication_id: str | None = None
    message_group_id: str | None = None


class SendMessageBatchInput(QueueInput):
    entries: list[SendMessageBatchRequestEntry] | None = None


class SendMessageBatchResultEntry(Shape):
    id: str
    message_id: str
    md5_of_message_body: str = field(name="MD5OfMessageBody")
    md5_of_message_attributes: str | None = field(name="MD5OfMessageAttributes", default=None)
    md5_of_message_system_attributes: str | None = field(name="MD5OfMessageSystemAttributes", default=None)
    sequence_number: str | None = None


class SendMessageBatchOutput(Shape):
    successful: list[SendMessageBatchResultEntry]
    failed: list[BatchResultErrorEntry] | None = None


# --- receiving ----------------------------------------------------------------------------------------------


class ReceiveMessageInput(QueueInput):
    attribute_names: list[str] | None = None
    message_system_attribute_names: list[str] | None = None
    message_attribute_names: list[str] | None = None
    max_number_of_messages: int | None = None
    visibility_timeout: int | None = None
    wait_time_seconds: int | None = None
    receive_request_attempt_id: str | None = None


class Message(Shape):
    message_id: str
    receipt_handle: str
    md5_of_body: str = field(name="MD5OfBody")
    body: str
    attributes: Attributes | None = None
    md5_of_message_attributes: str | None = field(name="MD5OfMessageAttributes", default=None)
    message_attributes: MessageAttributes | None = None


class ReceiveMessageOutput(Shape):
    messages: list[Message] | None = None


# --- after receiving ----------------------------------------------------------------------------------------


class DeleteMessageInput(QueueInput):
    receipt_handle: str | None = None


class DeleteMessageBatchRequestEntry(Shape):
    id: str | None = None
    receipt_handle: str | None = None


class DeleteMessageBatchInput(QueueInput):
    entries: list[DeleteMessageBatchRequestEntry] | None = None


class ChangeMessageVisibilityInput(QueueInput):
    receipt_handle: str | None = None
    visibility_timeout: int | None = None


class ChangeMessageVisibilityBatchRequestEntry(Shape):
    id: str | None = None
    receipt_handle: str | None = None
    visibility_timeout: int | None = None


class ChangeMessageVisibilityBatchInput(QueueInput):
    entries: list[ChangeMessageVisibilityBatchRequestEntry] | None = None


class DeleteMessageBatchResultEntry(Shape):
    id: str


class DeleteMessageBatchOutput(Shape):
    successful: list[DeleteMessageBatchResultEntry]
    failed: list[BatchResultErrorEntry] | None = None


class ChangeMessageVisibilityBatchResultEntry(Shape):
    id: str


class ChangeMessageVisibilityBatchOutput(Shape):
    successful: list[ChangeMessageVisibilityBatchResultEntry]
    failed: list[BatchResultErrorEntry] | None = None


# --- moving dead letters back -------------------------------------------------------------------------------


class StartMessageMoveTaskInput(Shape):
    source_arn: str | None = None
    destination_arn: str | None = None
    max_number_of_messages_per_second: int | None = None


class StartMessageMoveTaskOutput(Shape):
    task_handle: str


class ListMessageMoveTasksInput(Shape):
    source_arn: str | None = None
    max_results: int | None = None


class ListMessageMoveTasksResultEntry(Shape, kw_only=True):
    """`task_handle` is told while the task can be cancelled, `failure_reason` once it has failed."""

    task_handle: str | None = None
    status: str
    source_arn: str
    destination_arn: str | None = None
    max_number_of_messages_per_second: int | None = None
    approximate_number_of_messages_moved: int
    approximate_number_of_messages_to_move: int
    failure_reason: str | None = None
    started_timestamp: int
    """Milliseconds since the Unix epoch."""


class ListMessageMoveTasksOutput(Shape):
    results: list[ListMessageMoveTasksResultEntry] | None = None


class CancelMessageMoveTaskInput(Shape):
    task_handle: str | None = None


class CancelMessageMoveTaskOutput(Shape):
    approximate_number_of_messages_moved: int


# --- STS ----------------------------------------------------------------------------------------------------


class GetCallerIdentityInput(Shape):
    pass


class GetCallerIdentityOutput(Shape):
    arn: str
    user_id: str
    account: str

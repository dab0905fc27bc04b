"""The table of SQS operations: one row an operation, for every protocol.

A row names the operation's input and what carries it out. The wire protocols decode into the input and encode
what comes back.
"""

from __future__ import annotations

from chappe.api.operations import Operation, Run, named_after_inputs
from chappe.broker import shapes
from chappe.broker.sqs import Sqs

SERVICE = "sqs"
TARGET_PREFIX = "AmazonSQS"
NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"


def sqs_operations(sqs: Sqs) -> dict[str, Operation]:
    """The operations by name."""
    rows: list[tuple[type[shapes.Shape], Run]] = [
        (shapes.CreateQueueInput, sqs.queues.create_queue),
        (shapes.GetQueueUrlInput, sqs.queues.get_queue_url),
        (shapes.ListQueuesInput, sqs.queues.list_queues),
        (shapes.DeleteQueueInput, sqs.queues.delete_queue),
        (shapes.PurgeQueueInput, sqs.queues.purge_queue),
        (shapes.GetQueueAttributesInput, sqs.queues.get_queue_attributes),
        (shapes.SetQueueAttributesInput, sqs.queues.set_queue_attributes),
        (shapes.TagQueueInput, sqs.tags.tag_queue),
        (shapes.UntagQueueInput, sqs.tags.untag_queue),
        (shapes.ListQueueTagsInput, sqs.tags.list_queue_tags),
        (shapes.AddPermissionInput, sqs.permissions.add_permission),
        (shapes.RemovePermissionInput, sqs.permissions.remove_permission),
        (shapes.ListDeadLetterSourceQueuesInput, sqs.dead_letter_sources.list_dead_letter_source_queues),
        (shapes.StartMessageMoveTaskInput, sqs.move_tasks.start_message_move_task),
        (shapes.ListMessageMoveTasksInput, sqs.move_tasks.list_message_move_tasks),
        (shapes.CancelMessageMoveTaskInput, sqs.move_tasks.cancel_message_move_task),
        (shapes.SendMessageInput, sqs.sender.send_message),
        (shapes.SendMessageBatchInput, sqs.sender.send_message_batch),
        (shapes.DeleteMessageInput, sqs.receiver.delete_message),
        (shapes.DeleteMessageBatchInput, sqs.receiver.delete_message_batch),
        (shapes.ChangeMessageVisibilityInput, sqs.receiver.change_message_visibility),
        (shapes.ChangeMessageVisibilityBatchInput, sqs.receiver.change_message_visibility_batch),
    ]
    operations = named_after_inputs(SERVICE, rows)
    operations.append(
        Operation(
            "ReceiveMessage",
            SERVICE,
            shapes.ReceiveMessageInput,
            sqs.receiver.receive_message,
            sqs.receiver.give_back,
            shapes.ReceiveMessageOutput(),
        )
    )
    return {operation.name: operation for operation in operations}

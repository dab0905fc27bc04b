"""What each operation does, whether that is what Amazon SQS does, and the tests that show it.

Errors are not told here but in `declared_errors`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Behaviour:
    """`tests` are names of test functions with their modules, such as `test_queues.test_x`.

    `differs` is empty where the behaviour is that of the service as recorded or documented.
    """

    text: str
    tests: tuple[str, ...]
    differs: str


def row(text: str, *tests: str, differs: str = "") -> Behaviour:
    return Behaviour(text, tests, differs)


EVERYWHERE = [
    row(
        "AWS JSON 1.0 over POST",
        "test_queues.test_a_queue_is_created_found_and_deleted",
    ),
    row(
        "JSON at the path of the queue",
        "test_bad_input.test_no_queue_at_all_and_a_queue_in_the_path",
    ),
    row(
        "Query with POST and GET, at `/` and at the path of the queue",
        "test_query.test_a_whole_life_at_the_path_of_the_queue",
    ),
    row(
        "CreateQueue and ListQueues are not valid at the path of a queue",
        "test_query.test_what_is_no_operation",
    ),
    row(
        "`x-amzn-query-error` and the legacy codes",
        "test_declared_errors.test_every_declared_error_is_given",
    ),
    row(
        "each required member is asked for",
        "test_declared_errors.test_every_required_member_is_asked_for",
    ),
    row(
        "quotes and carriage returns escaped in XML",
        "test_query.test_text_survives_the_way_through_xml",
    ),
    row(
        "Query answers in JSON for `Accept: application/json`",
        "test_query.test_an_answer_byte_for_byte",
        differs="the answer is XML",
    ),
    row(
        "SigV4 in the header and presigned",
        "test_query.test_a_presigned_url",
        "test_authentication.test_a_wrong_secret",
    ),
    row(
        "queue URLs under whatever host the client used",
        "test_queues.test_urls_are_told_under_the_host_the_client_used",
        differs="AWS names its own host",
    ),
    row(
        "queues of the messages API, `chappe-…`",
        "test_own_queues.test_what_would_break_it_is_refused",
        "test_own_queues.test_no_other_is_created",
        "test_own_queues.test_it_is_seen_and_redriven",
        "test_own_queues.test_it_is_listed_by_its_prefix_and_not_among_those_a_caller_created",
        differs="they are there, listed by the prefix `chappe-`; creating, changing, purging and deleting them is "
        "refused with AccessDenied",
    ),
    row(
        "access to the queue of another account",
        "test_queues.test_the_queue_of_another_account_is_refused",
        differs="always refused: policies are stored and checked, not yet enforced",
    ),
]

OPERATIONS: dict[str, list[Behaviour]] = {
    "AddPermission": [
        row(
            "statements with Sid, Principal, Action and Resource as AWS writes them",
            "test_tags_and_permissions.test_a_policy_grows_and_shrinks_by_label",
        ),
        row(
            "7 actions of a permission, 20 statements of a policy",
            "test_tags_and_permissions.test_the_limits_of_permissions",
        ),
        row(
            "unknown, owner's and repeated actions, accounts and labels",
            "test_tags_and_permissions.test_permissions_that_cannot_be_given",
        ),
        row(
            "the accounts must exist",
            "test_tags_and_permissions.test_permissions_that_cannot_be_given",
            differs="twelve digits will do",
        ),
    ],
    "CancelMessageMoveTask": [
        row(
            "what was moved stays moved, the rest stays",
            "test_move_tasks.test_a_task_is_watched_and_cancelled",
        ),
        row(
            "broken handles, handles of unknown tasks and queues",
            "test_move_tasks.test_what_is_no_task_handle",
            "test_move_tasks.test_the_handle_of_a_task_that_never_was",
        ),
    ],
    "ChangeMessageVisibility": [
        row(
            "extends, and ends at once with 0",
            "test_messages.test_visibility_is_extended_and_ended",
        ),
        row(
            "twelve hours from the receive at most",
            "test_messages.test_a_message_is_invisible_for_twelve_hours_at_most",
            "test_limits.test_a_change_of_visibility",
        ),
        row(
            "a message that was deleted",
            "test_refused_messages.test_visibility_of_a_message_that_was_deleted",
        ),
        row(
            "a message that has become visible again: hidden in a standard queue, MessageNotInflight in a FIFO queue",
            "test_refused_messages.test_visibility_of_a_message_that_is_visible_again",
        ),
    ],
    "ChangeMessageVisibilityBatch": [
        row(
            "good entries change, bad ones are told by id",
            "test_batches.test_a_whole_life_in_batches",
        ),
        row(
            "no `Failed` when no entry failed",
            "test_batches.test_a_whole_life_in_batches",
        ),
        row(
            "faults of the whole batch",
            "test_batches.test_batches_that_fail_as_a_whole",
        ),
    ],
    "CreateQueue": [
        row(
            "again with the same attributes gives the URL",
            "test_queues.test_creating_again_gives_the_url_unless_an_attribute_differs",
        ),
        row(
            "names of 1 to 80 characters, `.fifo` for FIFO",
            "test_queues.test_names_that_no_queue_can_have",
            "test_queues.test_a_fifo_queue_ends_in_fifo",
        ),
        row(
            "default attributes",
            "test_queues.test_the_attributes_of_a_new_queue",
            "test_queues.test_the_attributes_of_a_new_fifo_queue",
        ),
        row(
            "limits of attributes",
            "test_limits.test_attributes_that_are_numbers",
        ),
        row(
            "tags",
            "test_tags_and_permissions.test_a_queue_is_created_with_tags",
            "test_tags_and_permissions.test_the_limits_of_tags",
        ),
        row(
            "the name of a deleted queue is free after 60 seconds",
            "test_limits.test_a_deleted_name_is_free_after_a_minute",
            differs="at once, unless `aws.recreate_after_seconds` is set; after a restart at once",
        ),
        row(
            "encryption at rest (KmsMasterKeyId, SqsManagedSseEnabled)",
            "test_queues.test_the_attributes_of_a_new_queue",
            differs="told back, not done",
        ),
    ],
    "DeleteMessage": [
        row(
            "again, and with an older handle of a standard queue, is no error",
            "test_messages.test_a_message_is_invisible_until_its_timeout_and_gone_when_deleted",
        ),
        row(
            "an expired handle of a FIFO queue",
            "test_fifo.test_an_expired_handle_of_a_fifo_queue",
        ),
        row(
            "handles never given, and those of another queue",
            "test_refused_messages.test_handles_that_were_never_given",
            "test_refused_messages.test_the_handle_of_another_queue",
        ),
    ],
    "DeleteMessageBatch": [
        row(
            "good entries go, bad ones are told by id",
            "test_batches.test_a_whole_life_in_batches",
        ),
        row(
            "no `Failed` when no entry failed",
            "test_batches.test_a_whole_life_in_batches",
        ),
        row(
            "faults of the whole batch",
            "test_batches.test_batches_that_fail_as_a_whole",
        ),
    ],
    "DeleteQueue": [
        row(
            "the queue is gone",
            "test_queues.test_a_queue_is_created_found_and_deleted",
            differs="at once; AWS takes up to 60 seconds",
        ),
    ],
    "GetQueueAttributes": [
        row(
            "All, by name, unknown names",
            "test_queues.test_attributes_can_be_asked_for_by_name",
        ),
        row(
            "approximate counts",
            "test_messages.test_delays_of_the_queue_and_of_the_message",
            differs="exact in a queue at rest; AWS takes up to a minute",
        ),
    ],
    "GetQueueUrl": [
        row(
            "by name and owner",
            "test_queues.test_a_queue_is_created_found_and_deleted",
        ),
    ],
    "ListDeadLetterSourceQueues": [
        row(
            "pages of up to 1000, a token only with MaxResults",
            "test_tags_and_permissions.test_the_sources_of_a_dead_letter_queue",
        ),
    ],
    "ListMessageMoveTasks": [
        row(
            "newest first, up to 10",
            "test_move_tasks.test_the_last_ten_tasks_are_listed_newest_first",
        ),
        row(
            "progress, handle while running, reason of a failure",
            "test_move_tasks.test_a_task_is_watched_and_cancelled",
            "test_move_tasks.test_a_task_fails_when_its_destination_is_deleted",
        ),
    ],
    "ListQueueTags": [
        row(
            "no `Tags` when there are none",
            "test_tags_and_permissions.test_tags_are_set_changed_and_taken_away",
        ),
    ],
    "ListQueues": [
        row(
            "by prefix, in pages, a token only with MaxResults",
            "test_queues.test_queues_are_listed_by_prefix_and_page",
            "test_limits.test_a_page_of_a_thousand_queues",
        ),
        row(
            "a queue is listed as soon as it is there",
            "test_queues.test_queues_are_listed_by_prefix_and_page",
            differs="AWS takes some seconds; ours are in the order of their names",
        ),
    ],
    "PurgeQueue": [
        row(
            "once in 60 seconds",
            "test_queues.test_a_purge_empties_the_queue_and_not_twice_in_a_minute",
        ),
        row(
            "everything sent before the call goes",
            "test_queues.test_a_purge_empties_the_queue_and_not_twice_in_a_minute",
            differs="at once; AWS takes up to 60 seconds",
        ),
    ],
    "ReceiveMessage": [
        row(
            "limits of its parameters",
            "test_limits.test_parameters_of_a_receive",
        ),
        row(
            "no `Messages` when there are none",
            "test_messages.test_messages_expire",
        ),
        row(
            "visibility timeout and receive count",
            "test_messages.test_a_message_is_invisible_until_its_timeout_and_gone_when_deleted",
            "test_messages.test_system_attributes_come_back_when_asked_for",
        ),
        row(
            "message attributes by name, prefix (`Hel.*`), `All`, `.*`, `*`; their MD5 covers what is returned",
            "test_messages.test_message_attributes_come_back_when_asked_for",
            "test_messages.test_the_choice_and_checksums_that_the_real_service_gave",
        ),
        row(
            "AttributeNames and MessageSystemAttributeNames together",
            "test_messages.test_system_attributes_come_back_when_asked_for",
        ),
        row(
            "SenderId",
            "test_messages.test_system_attributes_come_back_when_asked_for",
            differs="the id of the access key; AWS tells that of the user or role",
        ),
        row(
            "long polling ends when a message comes",
            "test_query.test_a_long_poll_ends_when_a_message_comes",
        ),
        row(
            "OverLimit at the in-flight limit, empty when polling long",
            "test_limits.test_how_many_messages_are_in_flight",
        ),
        row(
            "dead letters after maxReceiveCount, with their origin",
            "test_queues.test_messages_received_too_often_move_to_the_dead_letter_queue",
        ),
        row(
            "a dead letter's receive count goes on from that in its source",
            "test_queues.test_messages_received_too_often_move_to_the_dead_letter_queue",
            differs="from what maxReceiveCount its source has now; from 0 once the source is deleted",
        ),
        row(
            "FIFO: order within a group, a group blocked while in flight",
            "test_fifo.test_a_group_is_received_in_order_and_blocked_while_in_flight",
        ),
        row(
            "FIFO: what became visible again comes before the first of its group in flight",
            "test_fifo.test_a_group_is_received_up_to_the_first_message_in_flight",
        ),
        row(
            "ReceiveRequestAttemptId: the same answer for five minutes",
            "test_attempts.test_the_same_attempt_gets_the_same_answer",
            "test_attempts.test_an_attempt_is_known_for_five_minutes",
            "test_attempts.test_what_an_attempt_may_not_be_called",
            differs="a restart of the server forgets it",
        ),
        row(
            "ReceiveRequestAttemptId: over once a message of it was deleted, changed or received by another",
            "test_attempts.test_an_attempt_is_over_when_a_message_was_changed",
            "test_attempts.test_an_attempt_is_over_when_another_has_received_its_message",
        ),
    ],
    "RemovePermission": [
        row(
            "by label; the policy goes with its last statement",
            "test_tags_and_permissions.test_a_policy_grows_and_shrinks_by_label",
        ),
    ],
    "SendMessage": [
        row(
            "bodies of 1 byte to 1 MiB, allowed characters",
            "test_messages.test_a_body_comes_back_as_it_was_sent",
            "test_refused_messages.test_messages_that_cannot_be_sent",
        ),
        row(
            "MD5 of body, attributes and system attributes",
            "test_messages.test_checksums_that_the_real_service_gave",
        ),
        row(
            "delays of the queue and of the message",
            "test_messages.test_delays_of_the_queue_and_of_the_message",
            "test_limits.test_a_delay",
        ),
        row(
            "ten message attributes, their names and types",
            "test_limits.test_how_many_attributes_a_message_has",
            "test_limits.test_what_an_attribute_is_called",
        ),
        row(
            "the queue's MaximumMessageSize counts attributes",
            "test_refused_messages.test_the_size_limit_of_the_queue_counts_attributes",
        ),
        row(
            "FIFO: group and deduplication ids, what they require",
            "test_fifo.test_what_a_fifo_queue_requires",
            "test_limits.test_identifiers_of_a_fifo_message",
        ),
        row(
            "FIFO: deduplication over five minutes, by content, by group",
            "test_fifo.test_a_duplicate_is_answered_like_the_original_and_not_stored",
            "test_fifo.test_content_based_deduplication_and_the_scope_of_a_group",
        ),
        row(
            "MessageGroupId in a standard queue is stored and told back",
            "test_messages.test_system_attributes_come_back_when_asked_for",
        ),
        row(
            "fair queues by MessageGroupId",
            "test_batches.test_a_quiet_tenant_is_served_beside_a_noisy_one",
        ),
    ],
    "SendMessageBatch": [
        row(
            "good entries are sent, bad ones are told by id",
            "test_batches.test_a_batch_sends_the_good_and_reports_the_bad",
            "test_batches.test_an_entry_without_a_body_fails_by_itself",
            "test_batches.test_an_entry_that_is_too_long_for_the_queue_fails_by_itself",
        ),
        row(
            "1 MiB together, ten entries, ids of 80 characters",
            "test_batches.test_a_batch_has_the_size_limit_of_a_message",
            "test_limits.test_a_batch_of_ten_with_the_longest_ids",
        ),
        row(
            "no `Failed` when no entry failed",
            "test_batches.test_a_whole_life_in_batches",
        ),
        row(
            "faults of the whole batch",
            "test_batches.test_batches_that_fail_as_a_whole",
        ),
    ],
    "SetQueueAttributes": [
        row(
            "limits of attributes",
            "test_limits.test_attributes_that_are_numbers",
        ),
        row(
            "a key (KmsMasterKeyId) turns SqsManagedSseEnabled off, and taking it away does not turn it on",
            "test_queues.test_a_key_takes_the_place_of_the_services_own_encryption",
        ),
        row(
            "changes hold at once",
            "test_queues.test_attributes_are_set_and_kept",
            differs="AWS takes up to 60 seconds, 15 minutes for the retention period",
        ),
        row(
            "RedrivePolicy: target, type, 1 to 1000 receives, given as a number or as text and told as a number",
            "test_queues.test_a_dead_letter_queue_must_exist_and_fit",
            "test_queues.test_the_receive_count_of_a_redrive_policy_is_told_as_a_number",
            "test_limits.test_how_often_a_message_is_received_before_it_falls",
        ),
        row(
            "RedriveAllowPolicy, enforced",
            "test_queues.test_a_redrive_allow_policy_is_enforced",
            "test_limits.test_how_many_sources_an_allow_policy_names",
        ),
        row(
            "Policy",
            "test_tags_and_permissions.test_what_is_no_policy",
            "test_tags_and_permissions.test_an_action_in_a_policy_must_exist",
            "test_tags_and_permissions.test_how_much_a_policy_says",
            "test_tags_and_permissions.test_the_size_of_a_policy",
            differs="principals need not exist",
        ),
    ],
    "StartMessageMoveTask": [
        row(
            "to a queue that is named",
            "test_move_tasks.test_messages_are_moved_to_the_queue_that_was_named",
        ),
        row(
            "each message back to where it came from",
            "test_move_tasks.test_messages_go_back_to_where_each_came_from",
        ),
        row(
            "moved messages are new ones: id, time of sending, retention",
            "test_move_tasks.test_messages_are_moved_to_the_queue_that_was_named",
        ),
        row(
            "one task of a queue at a time, 1 to 500 messages a second",
            "test_move_tasks.test_a_task_is_watched_and_cancelled",
            "test_move_tasks.test_tasks_that_cannot_be_started",
        ),
        row(
            "a destination that is deleted fails the task",
            "test_move_tasks.test_a_task_fails_when_its_destination_is_deleted",
        ),
        row(
            "goes on after a restart",
            "test_move_tasks.test_a_task_goes_on_after_a_restart",
        ),
        row(
            "ends after 36 hours at the latest",
            "test_move_tasks.test_messages_are_moved_to_the_queue_that_was_named",
            differs="it ends when the queue is empty",
        ),
    ],
    "TagQueue": [
        row(
            "50 tags; keys of 1 to 128, values of up to 256 characters",
            "test_tags_and_permissions.test_the_limits_of_tags",
        ),
    ],
    "UntagQueue": [
        row(
            "unknown keys are passed over",
            "test_tags_and_permissions.test_tags_are_set_changed_and_taken_away",
        ),
        row(
            "without keys",
            "test_tags_and_permissions.test_untagging_needs_keys",
        ),
    ],
}

BESIDE = [
    row(
        "STS GetCallerIdentity on the same port",
        "test_tags_and_permissions.test_the_caller_is_told_who_it_is",
        differs="the id of the access key stands for the user",
    ),
]

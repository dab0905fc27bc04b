"""Tags of a queue: TagQueue, UntagQueue, ListQueueTags.

They are stored among the queue's attributes, under `tag:`. Source: Amazon SQS API Reference, TagQueue.
"""

from __future__ import annotations

from collections.abc import Mapping

from chappe.broker.changes import Changes
from chappe.broker.directory import Call, Directory
from chappe.broker.errors import InvalidParameterValue, MissingParameter
from chappe.broker.shapes import ListQueueTagsInput, ListQueueTagsOutput, TagQueueInput, UntagQueueInput

TAGS_MAX = 50
KEY_MAX = 128
VALUE_MAX = 256
_PREFIX = "tag:"


class Tags:
    def __init__(self, directory: Directory, changes: Changes) -> None:
        self._directory = directory
        self._changes = changes

    async def tag_queue(self, call: Call, request: TagQueueInput) -> None:
        """A tag that is there already gets the new value."""
        async with self._changes.to(call, request.queue_url) as queue:
            if not request.tags:
                raise MissingParameter.named("Tags")
            stored = queue.settings.attributes
            checked = check_tags({**tags_of(stored), **request.tags}, queue.name.name)
            await self._changes.store(queue, {**stored, **checked})

    async def untag_queue(self, call: Call, request: UntagQueueInput) -> None:
        """Keys that are not there are passed over."""
        async with self._changes.to(call, request.queue_url) as queue:
            if request.tag_keys is None:
                raise MissingParameter.named("TagKeys")
            if not request.tag_keys:
                raise _bad_key()
            gone = {_PREFIX + key for key in request.tag_keys}
            kept = {name: value for name, value in queue.settings.attributes.items() if name not in gone}
            await self._changes.store(queue, kept)

    async def list_queue_tags(self, call: Call, request: ListQueueTagsInput) -> ListQueueTagsOutput:
        queue = await self._directory.find(call, request.queue_url)
        return ListQueueTagsOutput(tags=tags_of(queue.settings.attributes) or None)


def check_tags(tags: Mapping[str, str], queue_name: str) -> dict[str, str]:
    """All tags of a queue in their stored form."""
    if len(tags) > TAGS_MAX:
        raise InvalidParameterValue(f"Too many tags added for queue {queue_name[:80]}.")
    for key, value in tags.items():
        if not 1 <= len(key) <= KEY_MAX:
            raise _bad_key()
        if len(value) > VALUE_MAX:
            raise InvalidParameterValue(f"Tag values must be between 0 and {VALUE_MAX} characters in length.")
        if key.lower().startswith("aws:"):
            raise InvalidParameterValue("Tag keys cannot begin with 'aws:', which is reserved for AWS use.")
    return {_PREFIX + key: value for key, value in tags.items()}


def tags_of(stored: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(_PREFIX): value for name, value in stored.items() if name.startswith(_PREFIX)}


def _bad_key() -> InvalidParameterValue:
    return InvalidParameterValue(f"Tag keys must be between 1 and {KEY_MAX} characters in length.")

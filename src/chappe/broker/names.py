"""How a queue is called: by name, URL, ARN, and in the engine.

Source: Amazon SQS Developer Guide, "Queue and message identifiers". An engine queue is named by the tail of
the ARN, `region:account:name`.
"""

from __future__ import annotations

import msgspec

from chappe.broker.errors import InvalidParameterValue, MissingParameter

NAME_MAX = 80
FIFO_SUFFIX = ".fifo"
_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_ARN_PREFIX = "arn:aws:sqs:"


class QueueName(msgspec.Struct, frozen=True):
    """A queue's place: region, account of twelve digits, and name."""

    region: str
    account: str
    name: str

    @property
    def engine_name(self) -> str:
        return f"{self.region}:{self.account}:{self.name}"

    @property
    def arn(self) -> str:
        return f"{_ARN_PREFIX}{self.region}:{self.account}:{self.name}"

    @property
    def fifo(self) -> bool:
        return self.name.endswith(FIFO_SUFFIX)

    def url(self, endpoint: str) -> str:
        """The queue URL under `endpoint`, such as `http://127.0.0.1:9324`."""
        return f"{endpoint}/{self.account}/{self.name}"

    @classmethod
    def from_engine(cls, engine_name: str) -> QueueName | None:
        """The parts of an engine name; None for an engine queue that is no SQS queue."""
        parts = engine_name.split(":")
        return cls(*parts) if len(parts) == 3 else None

    @classmethod
    def from_arn(cls, arn: str) -> QueueName | None:
        """The queue of an ARN, or None if it is not the ARN of a queue."""
        parts = arn.split(":")
        if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sqs" or not all(parts[3:]):
            return None
        return cls(parts[3], parts[4], parts[5])


def parse_queue_url(url: str | None, region: str, account: str) -> QueueName:
    """The queue a `QueueUrl` names, under whatever host it was written.

    The last part of the path is the name and the part before it the account. A bare name, or a URL without an
    account of twelve digits, means `account`. The region is the one the request was signed for.
    """
    if not url:
        raise MissingParameter.named("QueueUrl")
    head, _, name = url.rpartition("/")
    owner = head[-12:]
    if len(head) < 13 or head[-13] != "/" or not owner.isascii() or not owner.isdigit():
        owner = account
    return QueueName(region, owner, name)


def check_new_name(name: str | None, *, fifo: bool) -> None:
    """Raise unless a queue of this type may be created under this name."""
    if name is None:
        raise MissingParameter.named("QueueName")
    if name == "":
        raise InvalidParameterValue("Queue name cannot be empty")
    stem = name.removesuffix(FIFO_SUFFIX) if fifo else name
    if fifo and (stem == name or not _allowed(stem) or len(name) > NAME_MAX):
        raise InvalidParameterValue(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
            "must end with .fifo suffix and be 1 to 80 in length."
        )
    if not _allowed(stem) or len(name) > NAME_MAX:
        raise InvalidParameterValue(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )


def _allowed(text: str) -> bool:
    return bool(text) and _ALLOWED.issuperset(text)

"""What has just become known of whom: so that what was read a moment ago is not relied upon.

A message is checked, and goes to a provider a moment later. What is committed in between (a suppression, a withdrawal,
a wish) is told here before whoever asked for it is answered, and has the message checked again. Whoever checks takes
the number of the newest news before reading; what is told later carries a larger one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from chappe.model.customer import Recipient
from chappe.records.recipients import recipient_text

_T = TypeVar("_T")
KEPT = 100_000
"""Recipients that are remembered; of older ones it is only known that there were some."""


class News:
    """Use from one event loop."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._newest = 0
        self._forgotten = 0
        self._about: OrderedDict[str, int] = OrderedDict()

    @property
    def newest(self) -> int:
        """The number of the newest news; to be taken before what is known is read."""
        return self._newest

    def has_of(self, recipient: str, since: int) -> bool:
        """Whether there may be news of a recipient (`recipient_text`) later than a number."""
        return self._newest > since and (self._forgotten > since or self._about.get(recipient, 0) > since)

    def tell(self, recipients: Iterable[str]) -> None:
        """Something that decides about messages to these recipients has been committed."""
        self._newest += 1
        for recipient in recipients:
            self._about[recipient] = self._newest
            self._about.move_to_end(recipient)
        while len(self._about) > self._kept:
            _, self._forgotten = self._about.popitem(last=False)

    def tell_of_everyone(self) -> None:
        """Something that decides about messages to nobody knows whom has been committed."""
        self._newest += 1
        self._forgotten = self._newest
        self._about.clear()

    async def told(self, committed: asyncio.Future[_T], about: Callable[[_T], Iterable[Recipient]]) -> _T:
        """The outcome of a commit, with its news told before that.

        A caller who is cancelled meanwhile has changed the records all the same, so the news are told then too.
        """
        committed.add_done_callback(partial(self._tell_of, about))
        return await asyncio.shield(committed)

    def _tell_of(self, about: Callable[[_T], Iterable[Recipient]], committed: asyncio.Future[_T]) -> None:
        if not committed.cancelled() and committed.exception() is None:
            self.tell([recipient_text(to) for to in about(committed.result())])

"""What earlier requests hold of a person who is erased: copies that were made, and whom the requests were about.

A copy holds all that was stored, so it goes with what it was made from. Of the requests themselves the dates, the
receipts and the digests stay: they account for what was done, and name nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from chappe.records.data_requests import DataRequest, DataRequests, RequestKind, Subject, add_progress
from chappe.records.erased import ErasedAddresses


async def forget_earlier(
    requests: DataRequests, erased: ErasedAddresses, path_of: Callable[[DataRequest], Path], request: DataRequest
) -> None:
    """Remove the copies and forget the subjects of requests that are done about the person of an erasure, counting the
    copies with what it removed. May be done again. Earlier erasures are left: they look after themselves.
    """
    digests = {request.digest, *map(erased.digest, request.subject.recipients)}
    for earlier in await requests.done_about(digests, request.subject.recipients):
        if earlier.kind is RequestKind.ERASE or earlier.subject == Subject(digests=earlier.subject.digests):
            continue
        await asyncio.to_thread(path_of(earlier).unlink, missing_ok=True)
        copies = int(earlier.package_until_ms is not None)
        known = tuple(erased.digest(recipient).hex() for recipient in earlier.subject.recipients)
        await requests.change(
            earlier.key,
            None,
            partial(add_progress, key=request.key, done={"copies": copies}),
            subject=Subject(digests=known),
            package_until_ms=None,
        )

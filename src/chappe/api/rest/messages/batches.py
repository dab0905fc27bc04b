"""POST /v1/messages:batch: up to 1,000 messages, each with a result of its own.

A key in the header is for the whole batch; a key in an entry is for that entry, so that a file can be sent again
after an interruption without sending anything twice. A large batch is decoded and answered in slices, because nothing
else runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from chappe.api.rest.answers import Answer, encode, encoded_answer
from chappe.api.rest.bodies import decode
from chappe.api.rest.call import Call
from chappe.api.rest.claims import REPLAYED, check_same, digest_of, key_of
from chappe.api.rest.messages.documents import BATCH_ENTRIES_MAX, BatchResult, RawBatch
from chappe.api.rest.messages.messages import ACCEPTED, accepted_body, request_digest
from chappe.api.rest.problems import problem_of
from chappe.model.errors import ChappeError, IdempotencyConflict, InvalidInput
from chappe.pipeline.acceptance.accept import URGENT_BATCH_MAX, Accepting
from chappe.pipeline.acceptance.request import MessageRequest
from chappe.pipeline.background import Pace
from chappe.records.idempotency import Answer as KeptAnswer

SOME_REFUSED = 207
_batch_decoder = msgspec.json.Decoder(RawBatch)
_entry_decoder = msgspec.json.Decoder(MessageRequest)


async def send_batch(call: Call) -> Answer:
    """POST /v1/messages:batch"""
    key = key_of(call.headers)
    if key is None:
        return await _Batch(call).carry_out()
    claims, scope, digest = call.server.claims, batch_scope(call), digest_of(b"batch", call.body)
    async with claims.holding(scope, [key]) as kept:
        if key in kept:
            check_same(kept[key], digest)
            return encoded_answer(kept[key].http_status, kept[key].response.encode(), headers=(REPLAYED,))
        return await _Batch(call, key, digest).carry_out()


def batch_scope(call: Call) -> str:
    """Keys of whole batches are apart from those of messages, so that nobody waits for both in a circle."""
    return f"{call.client.key_id}/batch"


class _Batch:
    """One batch on its way. `key` and `digest` are those of the whole batch, if it has a key."""

    def __init__(self, call: Call, key: str | None = None, digest: str = "") -> None:
        self._call = call
        self._claims = call.server.claims
        self._scope = call.client.key_id
        self._key = key
        self._digest = digest
        self._pace = Pace(call.server.pipeline.context.background, urgent=False)
        self._answer: Answer | None = None

    async def carry_out(self) -> Answer:
        raw = decode(_batch_decoder, self._call.body).messages
        if not 1 <= len(raw) <= BATCH_ENTRIES_MAX:
            raise InvalidInput(f"a batch has 1 to {BATCH_ENTRIES_MAX} messages, not {len(raw)}", pointer="/messages")
        if len(raw) <= URGENT_BATCH_MAX:
            self._pace = Pace(self._call.server.pipeline.context.background, urgent=True)
        await self._pace.begin()
        entries = [await self._entry(number, part) for number, part in enumerate(raw)]
        keys = [entry.idempotency_key for entry in entries if isinstance(entry, MessageRequest)]
        async with self._claims.holding(self._scope, [key for key in dict.fromkeys(keys) if key is not None]) as kept:
            return await self._accept(entries, kept)

    async def _entry(self, number: int, part: msgspec.Raw) -> MessageRequest | ChappeError:
        await self._pace.pause()
        try:
            return decode(_entry_decoder, part)
        except InvalidInput as error:
            return error

    async def _accept(self, entries: Sequence[MessageRequest | ChappeError], kept: Mapping[str, KeptAnswer]) -> Answer:
        await self._pace.begin()
        plan = _Plan(entries, kept)

        async def answer_with(outcomes: Sequence[Accepting]) -> Sequence[KeptAnswer]:
            results = await self._results(outcomes)
            self._answer = plan.answer(results)
            return self._to_keep(plan, results)

        outcomes = await self._call.server.pipeline.accept(plan.requests, answer_with)
        if self._answer is None:  # nothing was taken, so there is nothing to repeat
            self._answer = plan.answer(await self._results(outcomes))
        return self._answer

    async def _results(self, outcomes: Sequence[Accepting]) -> list[_Result]:
        await self._pace.begin()
        results = []
        for outcome in outcomes:
            await self._pace.pause()
            if isinstance(outcome, InvalidInput):
                results.append(_refusal(outcome))
            else:
                results.append(_Result(accepted_body(outcome)))
        return results

    def _to_keep(self, plan: _Plan, results: Sequence[_Result]) -> Sequence[KeptAnswer]:
        to_keep = [
            self._claims.answer(self._scope, key, digest, ACCEPTED, result.body)
            for (key, digest), result in zip(plan.claims, results, strict=True)
            if key is not None and not result.refused
        ]
        if self._key is not None and self._answer is not None:
            answer = self._answer
            to_keep.append(
                self._claims.answer(batch_scope(self._call), self._key, self._digest, answer.status, answer.body)
            )
        return to_keep


class _Result(NamedTuple):
    """The result of one entry, encoded."""

    body: bytes
    refused: bool = False


class _Plan:
    """Which entries are to be taken, and what is known of the others already.

    `requests` are to be taken, with `claims` (key and digest) beside them. An entry is repeated when an answer was
    kept for its key, or when an earlier entry of the same batch has it.
    """

    def __init__(self, entries: Sequence[MessageRequest | ChappeError], kept: Mapping[str, KeptAnswer]) -> None:
        self.requests: list[MessageRequest] = []
        self.claims: list[tuple[str | None, str]] = []
        self._kept = kept
        self._first_with: dict[str, int] = {}
        self._sources: list[int | _Result] = [self._source(entry) for entry in entries]

    def answer(self, of_requests: Sequence[_Result]) -> Answer:
        """The answer to the batch, given the requests' results."""
        results = [of_requests[source] if isinstance(source, int) else source for source in self._sources]
        refused = sum(result.refused for result in results)
        accepted = len(results) - refused
        head = b'{"accepted":%d,"refused":%d,"results":[' % (accepted, refused)
        return encoded_answer(
            SOME_REFUSED if refused else ACCEPTED, head + b",".join(result.body for result in results) + b"]}"
        )

    def _source(self, entry: MessageRequest | ChappeError) -> int | _Result:
        """Where the result of an entry comes from: the request with this number, or it stands already."""
        if isinstance(entry, ChappeError):
            return _refusal(entry)
        key = entry.idempotency_key
        digest = "" if key is None else request_digest(entry)
        if key is not None:
            try:
                if key in self._kept:
                    check_same(self._kept[key], digest)
                    return _Result(self._kept[key].response.encode())
                if key in self._first_with:
                    return self._repeated(key, digest)
            except IdempotencyConflict as error:
                return _refusal(error)
            self._first_with[key] = len(self.requests)
        self.requests.append(entry)
        self.claims.append((key, digest))
        return len(self.requests) - 1

    def _repeated(self, key: str, digest: str) -> int:
        first = self._first_with[key]
        if self.claims[first][1] != digest:
            raise IdempotencyConflict("Two different messages of this batch have the same idempotency key.", key=key)
        return first


def _refusal(error: ChappeError) -> _Result:
    return _Result(encode(BatchResult(error=problem_of(error))), refused=True)

"""What clients were promised, and whether what they see keeps to it.

Every request is entered before it is sent and again when it was answered; what was never answered may have happened or
not. Events are numbered, so that a check can tell "asked after this was acknowledged" from "at the same time". Each
check raises `PromiseBroken` the moment a client sees what must not be. The promises are those of
`chappe.engine.base`, of which the finer points are:

- A receive count may, after a crash, lack the receives of the last commit. It may not lack those that a later
  acknowledged write of the same life followed, for they were committed before it or with it.
- After a crash a message may be visible earlier than its timeout said; within a life it may not.
- A receipt of a message that went to the dead-letter queue deletes nothing there. A deletion ends a message everywhere
  if it was acknowledged while the message was certainly in flight.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class PromiseBroken(AssertionError):
    """`promise` is one word for which one."""

    def __init__(self, promise: str, what: str) -> None:
        super().__init__(f"{promise}: {what}")
        self.promise = promise


class QueueKind(NamedTuple):
    fifo: bool = False
    dead_letters: str | None = None


class Moment(NamedTuple):
    """The number of an event and the wall clock in ms since the epoch."""

    event: int
    ms: int


class Seen(NamedTuple):
    """A message as a receive showed it. `sequence` in FIFO queues only, `source` in dead-letter queues only."""

    id: str
    body: str
    receive_count: int
    sequence: int | None = None
    source: str | None = None


@dataclass(slots=True)
class Send:
    """One message that a client wanted to send. `acknowledged` is the event of the first answer, 0 if there is none."""

    token: str
    queue: str
    group: str | None
    body: str = field(repr=False)
    delay_ms: int
    begun: Moment
    acknowledged: int = 0
    id: str | None = None
    sequence: int | None = None
    ended: int = 0
    """The event of a deletion that ended the message wherever it might be."""


@dataclass(slots=True)
class Place:
    """A message in one of the queues it may be in."""

    send: Send
    queue: str
    first_seen: int = 0
    sequence: int | None = None
    floor: int = 0
    """The receive count that is known to be on stable storage."""
    life: int = 0
    counts: list[tuple[int, int]] = field(default_factory=list)
    """(answered, count) of this life's receives."""
    deletes: int = 0
    """Deletions sent and not refused."""
    deleted: int = 0
    """The event of an acknowledged deletion."""
    held: tuple[int, int, int] = (0, 0, 0)
    """(life, event since when, ms until when) it is certainly in flight."""


@dataclass(slots=True)
class Group:
    """A group of a FIFO queue."""

    alive: dict[str, int] = field(default_factory=dict)
    """Sequences by id, of messages known to be there and not being deleted."""
    held: dict[str, Place] = field(default_factory=dict)
    acknowledged_upto: int = 0
    delivered_upto: int = 0
    delivered_original_upto: int = 0
    """For a dead-letter queue: the same by the sequences of the queue they came from."""


def token_of(body: str) -> str:
    return body.partition(" ")[0]


def body_of(token: str, size: int) -> str:
    """A body of about `size` characters, all of which follow from the token."""
    return f"{token} {(token + '-') * (size // (len(token) + 1))}"


class Ledger:
    def __init__(self, queues: Mapping[str, QueueKind]) -> None:
        self.queues = dict(queues)
        self.life = 1
        self.figures: Counter[str] = Counter()
        self._event = 0
        self._sends: dict[str, Send] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._groups: defaultdict[tuple[str, str], Group] = defaultdict(Group)
        self._observed: list[tuple[int, Place, int]] = []
        """(answered, place, count) of this life's receives."""
        self._durable = 0
        """Receives answered before this event of this life are on stable storage."""
        self._purged: dict[str, tuple[int, int]] = {}
        """The last acknowledged purge of a queue: (asked, answered)."""
        self._purging: set[str] = set()
        self._purge_reach: dict[str, int] = {}
        """Sends begun before this event may have been purged."""
        self._must_be_dead: dict[str, Place] = {}
        """Messages (by id) that a later one of their group overtook."""
        self._stock: Counter[str] = Counter()
        self._owed: set[str] | None = None
        self._drained: set[str] = set()

    def moment(self, ms: int) -> Moment:
        self._event += 1
        return Moment(self._event, ms)

    # --- sending ---

    def sending(
        self, token: str, queue: str, size: int, now: Moment, *, group: str | None = None, delay_ms: int = 0
    ) -> Send:
        send = Send(token, queue, group, body_of(token, size), delay_ms, now)
        assert token not in self._sends
        self._sends[token] = send
        self.figures["sends"] += 1
        return send

    def sent(self, send: Send, message_id: str, sequence: int | None, begun: Moment) -> None:
        """A send or a repetition of it was acknowledged."""
        self._identify(send, message_id)
        if send.acknowledged:
            if sequence != send.sequence:
                raise PromiseBroken("duplicated", f"{send.token} was sent again and got another sequence")
            return
        send.acknowledged = self.moment(0).event
        self.figures["sends acknowledged"] += 1
        self._stock[send.queue] += 1
        if send.group is None:
            self.committed(begun)
            return
        assert sequence is not None
        group = self._groups[send.queue, send.group]
        if sequence <= group.acknowledged_upto:
            raise PromiseBroken("disordered", f"{send.token} has a sequence before that of a message sent earlier")
        group.acknowledged_upto = sequence
        if send.sequence not in (None, sequence):
            raise PromiseBroken("invented", f"{send.token} was received with another sequence than it was sent with")
        send.sequence = sequence
        place = self._places.get((send.queue, message_id))
        if place is None and not self._dead(send):
            group.alive[message_id] = sequence

    def committed(self, begun: Moment) -> None:
        """A write that began then was acknowledged: receives answered before are on stable storage too."""
        self._durable = max(self._durable, begun.event)

    def _identify(self, send: Send, message_id: str) -> None:
        if send.id is None:
            send.id = message_id
        elif send.id != message_id:
            raise PromiseBroken("duplicated", f"{send.token} is there as {send.id} and as {message_id}")

    # --- receiving ---

    def received(self, queue: str, begun: Moment, now: Moment, visibility_ms: int, messages: Sequence[Seen]) -> None:
        """A receive that began then was answered now. `messages` in the order of the answer."""
        last: dict[str, int] = {}
        together = {message.id for message in messages}
        for message in messages:
            place = self._recognise(queue, message)
            self._check_place(place, begun)
            self._check_time(place, begun, now)
            self._check_count(place, begun, now, message.receive_count)
            if self.queues[queue].fifo:
                self._check_order(place, message, begun, now, last, together)
            if not place.first_seen:
                place.first_seen = now.event
            if self._owed is not None:
                self._drained.add(place.send.token)
        for message in messages:
            self._hold(self._places[queue, message.id], now.event, begun.ms + visibility_ms)
        self.figures["receives"] += len(messages)

    def _recognise(self, queue: str, message: Seen) -> Place:
        send = self._sends.get(token_of(message.body))
        if send is None or send.body != message.body:
            raise PromiseBroken("invented", f"{message.id} in {queue} has a body that was never sent")
        self._identify(send, message.id)
        home = send.queue
        if queue != home and (queue != self.queues[home].dead_letters or message.source != home):
            raise PromiseBroken("invented", f"{send.token} was sent to {home} and received from {queue}")
        place = self._places.get((queue, message.id))
        if place is None:
            place = self._places[queue, message.id] = Place(send, queue)
            if queue != home:
                self.figures["dead letters"] += 1
                self._stock[queue] += 1
                self._stock[home] -= 1
        if self.queues[queue].fifo:
            expected = place.sequence or (send.sequence if queue == home else None)
            if message.sequence is None or expected not in (None, message.sequence):
                raise PromiseBroken("invented", f"{send.token} changed its sequence")
            place.sequence = message.sequence
            if queue == home:
                send.sequence = message.sequence
        return place

    def _check_place(self, place: Place, begun: Moment) -> None:
        send = place.send
        if 0 < place.deleted < begun.event or 0 < send.ended < begun.event:
            raise PromiseBroken("returned", f"{send.token} was deleted from {place.queue} and received again: {place}")
        purge = self._purged.get(place.queue)
        if purge is not None and 0 < send.acknowledged < purge[0] and purge[1] < begun.event:
            raise PromiseBroken("returned", f"{send.token} was purged from {place.queue} and received again")
        dead = self._dead(send)
        if dead is not None and dead is not place and dead.first_seen and dead.first_seen < begun.event:
            raise PromiseBroken("doubled", f"{send.token} is in {place.queue} although it went to {dead.queue}")

    def _check_time(self, place: Place, begun: Moment, now: Moment) -> None:
        send = place.send
        if place.queue == send.queue and now.ms < send.begun.ms + send.delay_ms:
            raise PromiseBroken("early", f"{send.token} was received before its delay of {send.delay_ms} ms had passed")
        if self._is_held(place, begun, now):
            raise PromiseBroken("early", f"{send.token} was received while it was in flight: {place}")

    def _check_count(self, place: Place, begun: Moment, now: Moment, count: int) -> None:
        if place.life != self.life:
            place.life = self.life
            place.counts.clear()
        before = max((c for answered, c in place.counts if answered < begun.event), default=0)
        if count <= max(before, place.floor):
            raise PromiseBroken("miscounted", f"{place.send.token} has a receive count of {count}: {place}")
        place.counts.append((now.event, count))
        self._observed.append((now.event, place, count))

    def _check_order(
        self, place: Place, message: Seen, begun: Moment, now: Moment, last: dict[str, int], together: set[str]
    ) -> None:
        """`last` are the sequences so far in this answer by group, `together` the ids in it."""
        send = place.send
        assert send.group is not None
        assert message.sequence is not None
        group = self._groups[place.queue, send.group]
        self._check_held(group, place, message.sequence, begun, now)
        if message.sequence <= last.get(send.group, 0):
            raise PromiseBroken("disordered", f"{send.token} follows a later message of its group in one answer")
        last[send.group] = message.sequence
        if not place.first_seen:
            self._check_first_delivery(place, group, message.sequence)
        self._check_overtaken(group, place, message.sequence, together)
        if place.deletes == 0 and message.id not in self._must_be_dead:
            group.alive[message.id] = message.sequence
        if place.queue != send.queue:
            self._groups[send.queue, send.group].alive.pop(message.id, None)

    def _check_held(self, group: Group, place: Place, sequence: int, begun: Moment, now: Moment) -> None:
        """No earlier message of the group may be in flight. A later one may: what became visible again comes first."""
        for message_id, held in list(group.held.items()):
            assert held.sequence is not None
            if held.sequence < sequence and self._is_held(held, begun, now):
                raise PromiseBroken("disordered", f"{place.send.token} was received while {held} was in flight")
            life, _, until_ms = held.held
            if life != self.life or until_ms <= now.ms:
                del group.held[message_id]

    def _check_overtaken(self, group: Group, place: Place, sequence: int, together: set[str]) -> None:
        """No earlier message of the group may be there, unless it turns out to be in the dead-letter queue."""
        for other in [i for i, earlier in group.alive.items() if earlier < sequence and i not in together]:
            if self.queues[place.queue].dead_letters is None:
                raise PromiseBroken("disordered", f"{place.send.token} was received although {other} comes before it")
            self._must_be_dead[other] = place
            del group.alive[other]

    def _check_first_delivery(self, place: Place, group: Group, sequence: int) -> None:
        if sequence < group.delivered_upto:
            raise PromiseBroken("disordered", f"{place.send.token} was first received after a later one of its group")
        group.delivered_upto = sequence
        original = place.send.sequence
        if original is not None:
            if original < group.delivered_original_upto:
                raise PromiseBroken("disordered", f"{place.send.token} was first received after one sent later")
            group.delivered_original_upto = original

    # --- in flight ---

    def _hold(self, place: Place, since: int, until_ms: int) -> None:
        place.held = self.life, since, until_ms
        if place.send.group is not None and place.deletes == 0:
            self._groups[place.queue, place.send.group].held[place.send.id or ""] = place

    def _let_go(self, place: Place) -> None:
        place.held = (0, 0, 0)
        if place.send.group is not None:
            self._groups[place.queue, place.send.group].held.pop(place.send.id or "", None)

    def _is_held(self, place: Place, begun: Moment, now: Moment) -> bool:
        """Whether it was certainly in flight while that receive was under way."""
        life, since, until_ms = place.held
        return life == self.life and since < begun.event and now.ms < until_ms

    def changing_visibility(self, queue: str, message_id: str) -> None:
        self._let_go(self._places[queue, message_id])

    def changed_visibility(self, queue: str, message_id: str, begun: Moment, now: Moment, visibility_ms: int) -> None:
        place = self._places[queue, message_id]
        self.committed(begun)
        if place.deletes == 0 and all(answered < begun.event for answered, _ in place.counts):
            self._hold(place, now.event, begun.ms + visibility_ms)
        self.figures["visibility changes"] += 1

    # --- deleting ---

    def deleting(self, queue: str, message_id: str) -> tuple[int, int, int]:
        """What was held then is to be handed to `deleted`."""
        place = self._places[queue, message_id]
        held = place.held
        place.deletes += 1
        self._let_go(place)
        if place.send.group is not None:
            self._groups[queue, place.send.group].alive.pop(message_id, None)
        return held

    def deleted(self, queue: str, message_id: str, now: Moment, held: tuple[int, int, int]) -> None:
        place = self._places[queue, message_id]
        if not place.deleted:
            place.deleted = now.event
            self._stock[queue] -= 1
        life, _, until_ms = held
        if life == self.life and now.ms < until_ms:
            place.send.ended = place.send.ended or now.event
        self.figures["deletes acknowledged"] += 1

    def not_deleted(self, queue: str, message_id: str) -> None:
        """The deletion was refused."""
        place = self._places[queue, message_id]
        place.deletes -= 1
        send = place.send
        overtaken = message_id in self._must_be_dead
        if send.group is not None and place.deletes == 0 and not overtaken and self._dead(send) in (None, place):
            assert place.sequence is not None
            self._groups[queue, send.group].alive[message_id] = place.sequence
        self.figures["deletes refused"] += 1

    def purging(self, queue: str) -> None:
        self._purging.add(queue)

    def purged(self, queue: str, begun: Moment, now: Moment) -> None:
        self._purged[queue] = begun.event, now.event
        self._purge_ended(queue)
        self._stock[queue] = 0
        self.figures["purges acknowledged"] += 1

    def not_purged(self, queue: str) -> None:
        self._purging.discard(queue)

    def _purge_ended(self, queue: str) -> None:
        self._purging.discard(queue)
        self._purge_reach[queue] = self.moment(0).event

    # --- the ends ---

    def life_ended(self) -> None:
        for answered, place, count in self._observed:
            if answered < self._durable:
                place.floor = max(place.floor, count)
        self._observed.clear()
        for queue in list(self._purging):
            self._purge_ended(queue)
        self._durable = 0
        self.life += 1

    def waiting(self, queue: str) -> int:
        """About how many messages a queue holds."""
        return self._stock[queue]

    def begin_draining(self) -> None:
        """From now on nothing is sent, and everything that is left is received."""
        doubtful = {place.send.token for place in self._places.values() if place.deletes}
        self._owed = {
            send.token
            for send in self._sends.values()
            if send.acknowledged
            and send.token not in doubtful
            and send.begun.event > self._purge_reach.get(send.queue, 0)
        }
        self.figures["owed in the end"] = len(self._owed)
        self.figures["sends unknown"] = self.figures["sends"] - self.figures["sends acknowledged"]

    def settle(self) -> None:
        """Everything has been drained: is all there that must be?"""
        assert self._owed is not None
        lost = self._owed - self._drained
        if lost:
            some = [self._sends[token] for token in sorted(lost)[:3]]
            raise PromiseBroken("lost", f"{len(lost)} acknowledged messages, among them {some}")
        for message_id, overtaker in self._must_be_dead.items():
            if (self.queues[overtaker.queue].dead_letters, message_id) not in self._places:
                raise PromiseBroken("disordered", f"{message_id} was overtaken by {overtaker.send.token} and lives on")
        self.figures["drained"] = len(self._drained)

    def _dead(self, send: Send) -> Place | None:
        """The message in the dead-letter queue, if it was seen there."""
        dead_letters = self.queues[send.queue].dead_letters
        return None if dead_letters is None or send.id is None else self._places.get((dead_letters, send.id))

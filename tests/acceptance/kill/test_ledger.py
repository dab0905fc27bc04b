"""The ledger finds what must not be: each test plants one fault, or something that only looks like one."""

from __future__ import annotations

import pytest
from tests.acceptance.kill.ledger import Ledger, PromiseBroken, QueueKind, Seen, Send, body_of

START_MS = 1_000_000
SECOND_MS = 1000


class Book:
    """A ledger, and requests that are answered at once. The clock stands still unless it is told to move."""

    def __init__(self) -> None:
        self.ledger = Ledger(
            {
                "q": QueueKind(),
                "jobs": QueueKind(dead_letters="dead"),
                "dead": QueueKind(),
                "f": QueueKind(fifo=True),
            }
        )
        self.ms = START_MS

    def send(self, token: str, queue: str = "q", *, group: str | None = None, sequence: int | None = None) -> Send:
        begun = self.ledger.moment(self.ms)
        send = self.ledger.sending(token, queue, 30, begun, group=group)
        self.ledger.sent(send, f"id-{token}", sequence, begun)
        return send

    def receive(self, queue: str, *seen: Seen, timeout_ms: int = 0) -> None:
        begun = self.ledger.moment(self.ms)
        self.ledger.received(queue, begun, self.ledger.moment(self.ms), timeout_ms, seen)

    def delete(self, token: str, queue: str = "q") -> None:
        held = self.ledger.deleting(queue, f"id-{token}")
        self.ledger.deleted(queue, f"id-{token}", self.ledger.moment(self.ms), held)

    def reckon(self, queue: str, *seen: Seen) -> None:
        self.ledger.life_ended()
        self.ledger.begin_draining()
        self.receive(queue, *seen)
        self.ledger.settle()


def seen(token: str, count: int = 1, sequence: int | None = None, source: str | None = None) -> Seen:
    return Seen(f"id-{token}", body_of(token, 30), count, sequence, source)


@pytest.fixture
def book() -> Book:
    return Book()


def broken(promise: str) -> pytest.RaisesExc[PromiseBroken]:
    return pytest.RaisesExc(PromiseBroken, match=f"^{promise}:")


def test_an_acknowledged_message_that_is_not_there_in_the_end_is_lost(book: Book) -> None:
    book.send("a")
    book.send("b")
    book.receive("q", seen("a"))
    with broken("lost"):
        book.reckon("q", seen("b"))


def test_what_was_deleted_or_perhaps_deleted_need_not_be_there(book: Book) -> None:
    for token in "abc":
        book.send(token)
    book.receive("q", seen("a"), seen("b"))
    book.delete("a")
    book.ledger.deleting("q", "id-b")
    book.reckon("q", seen("c"))


def test_what_was_never_sent_is_invented(book: Book) -> None:
    book.send("a")
    with broken("invented"):
        book.receive("q", seen("b"))


def test_another_body_is_invented(book: Book) -> None:
    book.send("a")
    with broken("invented"):
        book.receive("q", Seen("id-a", body_of("a", 20), 1))


def test_one_send_makes_one_message(book: Book) -> None:
    book.send("a")
    book.receive("q", seen("a"))
    with broken("duplicated"):
        book.receive("q", Seen("another", body_of("a", 30), 1))


def test_a_repeated_send_has_the_id_of_the_first(book: Book) -> None:
    send = book.send("a", "f", group="g", sequence=1)
    book.ledger.sent(send, "id-a", 1, book.ledger.moment(book.ms))
    with broken("duplicated"):
        book.ledger.sent(send, "another", 2, book.ledger.moment(book.ms))


@pytest.mark.parametrize("lives", [0, 1, 2])
def test_a_deleted_message_never_returns(book: Book, lives: int) -> None:
    book.send("a")
    book.receive("q", seen("a"))
    book.delete("a")
    for _ in range(lives):
        book.ledger.life_ended()
    with broken("returned"):
        book.receive("q", seen("a", 2))


def test_a_receive_under_way_during_a_deletion_may_show_the_message(book: Book) -> None:
    book.send("a")
    book.receive("q", seen("a"))
    begun = book.ledger.moment(book.ms)
    book.delete("a")
    book.ledger.received("q", begun, book.ledger.moment(book.ms), 0, [seen("a", 2)])


def test_a_purged_message_never_returns(book: Book) -> None:
    book.send("a")
    begun = book.ledger.moment(book.ms)
    book.ledger.purging("q")
    book.ledger.purged("q", begun, book.ledger.moment(book.ms))
    with broken("returned"):
        book.receive("q", seen("a"))


def test_a_count_does_not_fall_within_a_life(book: Book) -> None:
    book.send("a")
    book.receive("q", seen("a", 2))
    with broken("miscounted"):
        book.receive("q", seen("a", 2))


def test_a_count_that_an_acknowledged_write_followed_does_not_fall_after_a_crash(book: Book) -> None:
    book.send("a")
    book.receive("q", seen("a", 2))
    book.send("b")
    book.ledger.life_ended()
    with broken("miscounted"):
        book.receive("q", seen("a", 2))


def test_a_count_of_the_last_commit_may_fall_after_a_crash(book: Book) -> None:
    book.send("a")
    book.receive("q", seen("a", 2))
    book.ledger.life_ended()
    book.receive("q", seen("a", 1))


def test_a_message_in_flight_is_not_received(book: Book) -> None:
    book.send("a")
    book.receive("q", seen("a"), timeout_ms=SECOND_MS)
    with broken("early"):
        book.receive("q", seen("a", 2))


def test_a_message_in_flight_is_received_after_its_timeout_or_a_crash(book: Book) -> None:
    book.send("a")
    book.receive("q", seen("a"), timeout_ms=SECOND_MS)
    book.ms += SECOND_MS
    book.receive("q", seen("a", 2), timeout_ms=SECOND_MS)
    book.ledger.life_ended()
    book.receive("q", seen("a", 3))


def test_a_delay_is_kept_over_crashes(book: Book) -> None:
    begun = book.ledger.moment(book.ms)
    send = book.ledger.sending("a", "q", 30, begun, delay_ms=SECOND_MS)
    book.ledger.sent(send, "id-a", None, begun)
    book.ledger.life_ended()
    with broken("early"):
        book.receive("q", seen("a"))


def test_a_group_is_first_delivered_in_the_order_sent(book: Book) -> None:
    book.send("a", "f", group="g", sequence=1)
    book.send("b", "f", group="g", sequence=2)
    with broken("disordered"):
        book.receive("f", seen("b", sequence=2))


def test_a_group_in_one_answer_is_in_order(book: Book) -> None:
    book.send("a", "f", group="g", sequence=1)
    book.send("b", "f", group="g", sequence=2)
    with broken("disordered"):
        book.receive("f", seen("b", sequence=2), seen("a", sequence=1))


def test_nothing_of_a_group_is_received_while_some_of_it_is_in_flight(book: Book) -> None:
    for sequence, token in enumerate("abc", 1):
        book.send(token, "f", group="g", sequence=sequence)
    book.receive("f", seen("a", sequence=1), seen("b", sequence=2), timeout_ms=SECOND_MS)
    book.delete("a", "f")
    with broken("disordered"):
        book.receive("f", seen("c", sequence=3))


def test_a_group_goes_on_when_what_came_before_is_deleted(book: Book) -> None:
    book.send("a", "f", group="g", sequence=1)
    book.send("b", "f", group="g", sequence=2)
    book.receive("f", seen("a", sequence=1), timeout_ms=SECOND_MS)
    book.delete("a", "f")
    book.receive("f", seen("b", sequence=2))


def test_sequences_follow_the_order_sent(book: Book) -> None:
    book.send("a", "f", group="g", sequence=2)
    with broken("disordered"):
        book.send("b", "f", group="g", sequence=1)


def test_a_dead_letter_is_in_one_place(book: Book) -> None:
    book.send("a", "jobs")
    book.receive("jobs", seen("a"))
    book.receive("dead", seen("a", source="jobs"))
    with broken("doubled"):
        book.receive("jobs", seen("a", 2))


def test_a_message_in_a_queue_that_is_not_its_own_is_invented(book: Book) -> None:
    book.send("a", "q")
    with broken("invented"):
        book.receive("dead", seen("a", source="jobs"))


def test_a_message_deleted_while_in_flight_is_no_dead_letter_later(book: Book) -> None:
    book.send("a", "jobs")
    book.receive("jobs", seen("a"), timeout_ms=SECOND_MS)
    book.delete("a", "jobs")
    book.ledger.life_ended()
    with broken("returned"):
        book.receive("dead", seen("a", source="jobs"))

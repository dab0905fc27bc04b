"""Messages judged by their content on their way: what follows, who sees it, and that it never changes its mind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.classify.tiny import BETTING, CODE, PLAIN, PROMOTION, SPAM, content_check, model

from chappe.classify.policy import Policy
from chappe.compliance.sender.profile import SenderProfile
from chappe.compliance.sender.senders import DEFAULT, Senders
from chappe.engine.base import NewMessage
from chappe.model.categories import ANSWERS
from chappe.model.classification import Classification, Resolution, Treatment
from chappe.model.customer import Content, Decision, Outcome, Purpose, Recipient, RuleOutcome, Status
from chappe.model.errors import Conflict, ReviewNotFound, StorageFull
from chappe.observe.audit.record import DecisionRecord, decode_open
from chappe.observe.audit.storage import AuditStorage
from chappe.pipeline.acceptance.request import AnswerRequest
from chappe.pipeline.content.checking import own_domains, readable_texts
from chappe.pipeline.envelope import Envelope, from_body, to_body
from chappe.pipeline.intake import reviewing
from chappe.pipeline.rules.backtests import Span
from chappe.pipeline.verdicts.recorded import recorded_decisions
from chappe.records.messages import Filter, Stored
from chappe.records.reviews import ReviewState
from chappe.records.rule_sets import Author

from .house import NAMES, House, eventually, house, request

ANA = Recipient(email="ana@example.com")
SOMEBODY = Author("key_1", "sam", "looked at it")
HELD = Policy(promotional=Treatment.HOLD, hold_ms=3_600_000)
BLOCKING = Policy(promotional=Treatment.BLOCK, spam=Treatment.BLOCK, moderation={"gambling": Treatment.BLOCK})
NOTING = Policy(promotional=Treatment.ANNOTATE, spam=Treatment.ANNOTATE)


def text(words: str) -> Content:
    return Content(subject="Acme", text=words)


def said(decision: Decision | None, rule: str = "classifier") -> RuleOutcome:
    assert decision is not None
    return next(outcome for outcome in decision.rules if outcome.id == rule)


def decisions(stored: Stored) -> list[Decision]:
    return [event.decision for event in stored.summary.events if event.decision is not None]


async def test_a_promotion_in_disguise_needs_consent_like_any_other(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        (accepted,) = await h.pipeline.accept([request(content=text(PROMOTION))])
        assert accepted.message.purpose is Purpose.PROMOTIONAL  # type: ignore[union-attr]
        assert accepted.decision.outcome is Outcome.BLOCK  # type: ignore[union-attr]
        stored = await h.becomes(accepted.key, Status.BLOCKED)  # type: ignore[union-attr]
        assert stored.summary.purpose is Purpose.PROMOTIONAL
        assert stored.message.declared_purpose is Purpose.TRANSACTIONAL
        outcome = said(decisions(stored)[0])
        assert outcome.outcome is Outcome.ANNOTATE
        assert "treated as promotional" in outcome.reason
        assert "sale" in outcome.reason
        assert h.provider.taken == []

        await h.consent(ANA)
        key = await h.send(content=text(PROMOTION))
        await h.becomes(key, Status.SENT)
        handed = h.provider.taken[0]
        assert handed.purpose is Purpose.PROMOTIONAL
        assert handed.unsubscribe_url is not None


async def test_it_goes_by_the_lane_for_promotions_and_counts_against_their_caps(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check(), start=False) as h:
        await h.consent(ANA)
        await h.pipeline.start()
        key = await h.send(content=text(PROMOTION))
        await h.becomes(key, Status.SENT)
        known = await h.records.messages.find(Filter(purpose=Purpose.PROMOTIONAL), 10)
        assert [summary.key for summary in known] == [key]


@pytest.mark.parametrize("words", [CODE, PLAIN])
async def test_what_is_as_declared_goes_and_the_decision_says_so(tmp_path: Path, words: str) -> None:
    async with house(tmp_path, content=content_check()) as h:
        key = await h.send(content=text(words))
        stored = await h.becomes(key, Status.SENT)
        assert stored.message.declared is None
        outcome = said(decisions(stored)[0])
        assert outcome.outcome is Outcome.ALLOW
        assert outcome.reason.startswith("reads as ")


async def test_declared_promotional_stays_promotional(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        key = await h.send(content=text(CODE), purpose=Purpose.PROMOTIONAL)
        stored = await h.becomes(key, Status.BLOCKED)
        assert (stored.summary.purpose, stored.message.declared) == (Purpose.PROMOTIONAL, None)


async def test_by_policy_it_is_only_noted_or_blocked(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check(NOTING)) as h:
        stored = await h.becomes(await h.send(content=text(PROMOTION)), Status.SENT)
        assert stored.summary.purpose is Purpose.TRANSACTIONAL
        assert said(decisions(stored)[0]).outcome is Outcome.ANNOTATE
        h.pipeline.context.content = content_check(BLOCKING)
        for words, check in ((PROMOTION, "classifier"), (SPAM, "classifier"), (BETTING, "moderation")):
            stored = await h.becomes(await h.send(content=text(words)), Status.BLOCKED)
            assert said(decisions(stored)[0], check).outcome is Outcome.BLOCK


async def test_flags_are_noted_unless_more_is_asked_for(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        key = await h.send(content=text(f"{BETTING} http://192.0.2.7/x"))
        stored = await h.becomes(key, Status.SENT)
        (decision, *_) = decisions(stored)
        assert said(decision, "moderation").outcome is Outcome.ANNOTATE
        assert "192.0.2.7" in said(decision, "links").reason


async def test_links_to_the_senders_own_domains_are_trusted_and_imitations_are_not(tmp_path: Path) -> None:
    senders = Senders({DEFAULT: SenderProfile(website="https://www.acme.example", email="help@acme.test")})
    check = content_check(senders=senders)
    assert check.flags_of_text("See https://shop.acme.example/x or acme.test") == ()
    (flag,) = check.flags_of_text("See https://acme.example.login.io/x")
    assert (flag.check, flag.name) == ("links", "imitation")
    assert own_domains(SenderProfile(also_from=("Acme", "+12025550187", "mail.acme.example"))) == ("mail.acme.example",)


async def test_exempt_senders_and_categories_are_left_alone(tmp_path: Path) -> None:
    policy = Policy(exempt_senders=frozenset({"alerts@acme.example"}), exempt_categories=frozenset({"healthcare"}))
    async with house(tmp_path, content=content_check(policy)) as h:
        for fields in ({"sender": "Acme Alerts <Alerts@acme.example>"}, {"category": "healthcare"}):
            stored = await h.becomes(await h.send(content=text(PROMOTION), **fields), Status.SENT)
            assert stored.message.classification is not None
            assert stored.message.classification.flags == ()


async def test_answers_of_the_server_itself_are_not_judged(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check(BLOCKING)) as h:
        category = sorted(ANSWERS)[0]
        asked = AnswerRequest(to=ANA, content=text(PROMOTION), purpose=Purpose.TRANSACTIONAL, category=category)
        (accepted,) = await h.pipeline.accept([asked])
        assert accepted.message.classification is None  # type: ignore[union-attr]


async def test_each_entry_of_a_batch_is_judged_by_itself(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        texts = [CODE, PROMOTION, SPAM] * 20
        outcomes = await h.pipeline.accept([request(content=text(words)) for words in texts])
        purposes = [outcome.message.purpose for outcome in outcomes]  # type: ignore[union-attr]
        assert purposes == [Purpose.TRANSACTIONAL, Purpose.PROMOTIONAL, Purpose.TRANSACTIONAL] * 20
        assert h.pipeline.context.content is not None
        assert sum(entry.judged for entry in h.pipeline.context.content.drift.senders()) == 60


async def test_to_evaluate_judges_and_leaves_no_trace(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        evaluation = await h.pipeline.evaluate(request(content=text(PROMOTION)))
        assert evaluation.message.purpose is Purpose.PROMOTIONAL
        assert evaluation.decision.outcome is Outcome.BLOCK
        held = await h.pipeline.evaluate(request(content=text(SPAM)))
        assert held.decision.outcome is Outcome.DEFER
        assert held.decision.until_ms is not None
        assert h.pipeline.context.content is not None
        assert h.pipeline.context.content.drift.senders() == []
        assert await h.records.reviews.find(None, 0, 10) == []


async def test_of_text_and_html_the_worse_counts(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        content = Content(subject="Acme", text=CODE, html=f"<p>{PROMOTION}</p>")
        stored = await h.becomes(await h.send(content=content), Status.BLOCKED)
        assert stored.summary.purpose is Purpose.PROMOTIONAL


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (Content(text="a"), ("a",)),
        (Content(subject="s", text="a"), ("s\na",)),
        (Content(subject="s"), ("s",)),
        (Content(html="<p>a<script>x</script></p>"), ("a",)),
        (Content(data={"notification": {"title": "t", "body": "b"}, "id": "x", "n": 3}), ("t\nb",)),
        (Content(data={"order": {"id": "a"}}), ()),
        (Content(text="  "), ()),
    ],
)
def test_what_a_reader_sees(content: Content, texts: tuple[str, ...]) -> None:
    assert readable_texts(content) == texts


async def test_a_redelivered_message_is_what_it_was_under_another_model(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        await h.consent(ANA)
        key = await h.send(content=text(PROMOTION))
        stored = await h.becomes(key, Status.SENT)
        check = content_check()
        check.serving.use(model(sale={0: 2_000}, buy={0: 2_000}, save={0: 2_000}))
        h.pipeline.context.content = check
        for queue in (NAMES.intake(Purpose.TRANSACTIONAL), NAMES.intake(Purpose.PROMOTIONAL)):
            await h.engine.send(queue, [NewMessage(to_body(Envelope(stored.message)))])
            await h.empties(queue)
        again = await h.stored(key)
        assert again.message == stored.message
        assert len(h.provider.taken) == 1


async def test_a_restart_under_another_model_changes_nothing_that_was_accepted(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check(), start=False) as h:
        await h.consent(ANA)
        later = h.clock() + 3_600_000
        await h.pipeline.start()
        key = await h.send(content=text(PROMOTION), send_at=datetime.fromtimestamp(later / 1000, UTC))
        before = (await h.stored(key)).message
        clock = h.clock
    clock.now_ms += 7_200_000
    check = content_check()
    check.serving.use(model(sale={0: 2_000}, buy={0: 2_000}, save={0: 2_000}))
    async with house(tmp_path, content=check, clock=clock) as h:
        stored = await h.becomes(key, Status.SENT)  # requeued: the engine of this house began empty
        assert stored.message == before
        assert stored.summary.purpose is Purpose.PROMOTIONAL
        assert h.provider.taken[0].purpose is Purpose.PROMOTIONAL


async def test_the_audit_log_holds_what_was_classified_so_that_deciding_again_gives_the_same(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        start_ms = h.clock()
        key = await h.send(content=text(PROMOTION))
        await h.becomes(key, Status.BLOCKED)
        recorded = [made async for made in recorded_decisions(h.pipeline.context, start_ms, h.clock() + 1)]
        (made,) = recorded
        assert made.message.declared is Purpose.TRANSACTIONAL
        assert made.message.classification is not None
        assert made.message.classification.model == model().version
        with AuditStorage(tmp_path) as storage:
            (stored,) = [entry for piece in storage.stretches() for entry in piece if entry.open_part is not None]
        assert stored.open_part is not None
        record = decode_open(stored.open_part)
        assert isinstance(record, DecisionRecord)
        assert (record.purpose, record.declared) == ("promotional", "transactional")
        version = await h.pipeline.rule_sets.get(made.decision.rule_set)
        result = (await h.pipeline.backtests.dry_run(version, Span(start_ms, h.clock() + 1), 10)).result()
        assert (result.decisions, result.changed) == (1, 0)


class TestHolding:
    async def held(self, h: House, words: str = SPAM, **fields: Any) -> int:
        key = await h.send(content=text(words), **fields)
        await h.becomes(key, Status.DEFERRED)
        return key

    async def test_spam_waits_for_a_person_in_no_queue(self, tmp_path: Path) -> None:
        async with house(tmp_path, content=content_check()) as h:
            key = await self.held(h)
            for purpose in Purpose:
                await h.empties(NAMES.intake(purpose))
            (review,) = await h.records.reviews.find(ReviewState.OPEN, 0, 10)
            assert (review.key, review.label, review.checks) == (key, "spam", ("classifier",))
            stored = await h.stored(key)
            (decision,) = decisions(stored)
            assert decision.outcome is Outcome.DEFER
            assert said(decision).outcome is Outcome.DEFER
            assert review.due_at_ms == decision.until_ms == stored.summary.events[-1].next_at_ms
            assert h.provider.attempts == []

    async def test_approved_it_goes_as_what_it_was_said_to_be(self, tmp_path: Path) -> None:
        async with house(tmp_path, content=content_check()) as h:
            key = await self.held(h)
            record = await h.pipeline.reviewing.resolve(key, Resolution.TRANSACTIONAL, SOMEBODY)
            assert (record.state, record.resolution) == (ReviewState.RESOLVED, Resolution.TRANSACTIONAL)
            stored = await h.becomes(key, Status.SENT)
            review = said(decisions(stored)[-1], "review")
            assert review.reason == "approved as transactional by sam"
            with pytest.raises(Conflict):
                await h.pipeline.reviewing.resolve(key, Resolution.REJECTED, SOMEBODY)

    async def test_approved_as_promotional_it_needs_consent(self, tmp_path: Path) -> None:
        async with house(tmp_path, content=content_check(HELD)) as h:
            key = await self.held(h, PROMOTION)
            await h.pipeline.reviewing.resolve(key, Resolution.PROMOTIONAL, SOMEBODY)
            stored = await h.becomes(key, Status.BLOCKED)
            assert stored.summary.purpose is Purpose.PROMOTIONAL
            assert stored.message.declared is Purpose.TRANSACTIONAL

    async def test_rejected_it_is_blocked_with_a_decision_in_the_audit_log(self, tmp_path: Path) -> None:
        async with house(tmp_path, content=content_check()) as h:
            start_ms = h.clock()
            key = await self.held(h)
            await h.pipeline.reviewing.resolve(key, Resolution.REJECTED, SOMEBODY)
            stored = await h.becomes(key, Status.BLOCKED)
            assert said(decisions(stored)[-1], "review").reason == "rejected by sam"
            made = [entry async for entry in recorded_decisions(h.pipeline.context, start_ms, h.clock() + 1)]
            assert [entry.decision.outcome for entry in made] == [Outcome.DEFER, Outcome.BLOCK]

    async def test_unreviewed_it_is_blocked_when_its_time_has_come(self, tmp_path: Path) -> None:
        async with house(tmp_path, content=content_check(HELD)) as h:
            key = await self.held(h, PROMOTION)
            assert await h.pipeline.reviewing.expire() == 0
            h.clock.now_ms += HELD.hold_ms + 1
            assert await h.pipeline.reviewing.expire() == 1
            stored = await h.becomes(key, Status.BLOCKED)
            assert said(decisions(stored)[-1], "review").reason == "nobody reviewed it within 1 hours"
            (record,) = await h.records.reviews.find(ReviewState.RESOLVED, 0, 10)
            assert record.resolution is Resolution.EXPIRED

    async def test_a_message_that_expires_is_held_no_longer_than_it_is_good_for(self, tmp_path: Path) -> None:
        async with house(tmp_path, content=content_check(HELD)) as h:
            ends_ms = h.clock() + 60_000
            key = await self.held(h, PROMOTION, expires_at=datetime.fromtimestamp(ends_ms / 1000, UTC))
            (review,) = await h.records.reviews.find(ReviewState.OPEN, 0, 10)
            assert review.due_at_ms == ends_ms
            h.clock.now_ms += 60_001
            assert await h.pipeline.reviewing.expire() == 1
            await h.becomes(key, Status.EXPIRED)

    async def test_a_held_message_can_be_cancelled_and_then_not_approved(self, tmp_path: Path) -> None:
        async with house(tmp_path, content=content_check()) as h:
            key = await self.held(h)
            await h.pipeline.cancel(key)
            assert await h.records.reviews.find(ReviewState.OPEN, 0, 10) == []
            (record,) = await h.records.reviews.find(ReviewState.CANCELLED, 0, 10)
            assert record.key == key
            with pytest.raises(Conflict, match="cancelled"):
                await h.pipeline.reviewing.resolve(key, Resolution.TRANSACTIONAL, SOMEBODY)
            with pytest.raises(ReviewNotFound):
                await h.pipeline.reviewing.resolve(key + 1, Resolution.TRANSACTIONAL, SOMEBODY)

    async def test_what_the_rules_block_anyway_needs_no_review(self, tmp_path: Path) -> None:
        async with house(tmp_path, content=content_check()) as h:
            key = await h.send(content=text(SPAM), purpose=Purpose.PROMOTIONAL)
            await h.becomes(key, Status.BLOCKED)
            assert await h.records.reviews.find(None, 0, 10) == []

    async def test_a_restart_leaves_it_held_and_brings_it_back_once_approved(self, tmp_path: Path) -> None:
        async with house(tmp_path, content=content_check()) as h:
            key = await self.held(h)
            clock, engine = h.clock, h.engine
        async with house(tmp_path, content=content_check(), clock=clock, engine=engine) as h:
            assert await h.status(key) is Status.DEFERRED
            for purpose in Purpose:
                await h.empties(NAMES.intake(purpose))
            await h.pipeline.reviewing.resolve(key, Resolution.TRANSACTIONAL, SOMEBODY)
            await h.becomes(key, Status.SENT)
            assert len(h.provider.taken) == 1

    async def test_a_crash_between_approval_and_queue_is_made_good_at_the_start(self, tmp_path: Path) -> None:
        async with house(tmp_path, content=content_check()) as h:
            key = await self.held(h)
            await h.records.reviews.resolve(key, Resolution.TRANSACTIONAL, at_ms=h.clock(), author=SOMEBODY)
            clock, engine = h.clock, h.engine
        async with house(tmp_path, content=content_check(), clock=clock, engine=engine) as h:
            await h.becomes(key, Status.SENT)
            await eventually(lambda: len(h.provider.taken) == 1)
            assert await h.records.reviews.unreleased() == []

    async def test_a_message_that_could_not_be_queued_after_its_review_is_queued_later(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reviewing, "EXPIRY_INTERVAL_SECONDS", 0.01)
        async with house(tmp_path, content=content_check()) as h:
            key = await self.held(h)

            async def full(queue: str, messages: Sequence[NewMessage]) -> Any:
                raise StorageFull("the disk is full")

            with monkeypatch.context() as patched:
                patched.setattr(h.engine, "send", full)
                with pytest.raises(StorageFull):
                    await h.pipeline.reviewing.resolve(key, Resolution.TRANSACTIONAL, SOMEBODY)
            await h.becomes(key, Status.SENT)
            assert len(h.provider.taken) == 1

    async def test_a_copy_from_before_the_hold_does_not_undo_the_review(self, tmp_path: Path) -> None:
        async with house(tmp_path, content=content_check()) as h:
            key = await self.held(h)
            before = (await h.stored(key)).message
            assert before.classification is not None
            await h.engine.send(NAMES.intake(Purpose.TRANSACTIONAL), [NewMessage(to_body(Envelope(before)))])
            await h.empties(NAMES.intake(Purpose.TRANSACTIONAL))
            assert len(decisions(await h.stored(key))) == 1
            await h.pipeline.reviewing.resolve(key, Resolution.TRANSACTIONAL, SOMEBODY)
            await h.becomes(key, Status.SENT)
            await h.engine.send(NAMES.intake(Purpose.TRANSACTIONAL), [NewMessage(to_body(Envelope(before)))])
            await h.empties(NAMES.intake(Purpose.TRANSACTIONAL))
            assert await h.status(key) is Status.SENT
            assert len(h.provider.taken) == 1


def test_messages_of_before_there_was_a_classifier_are_read_and_classified_ones_survive_a_queue() -> None:
    raw = (
        b'{"message":{"id":"msg_0000000000000001","to":{"email":"a@b.co"},"channel":"email","purpose":"promotional",'
        b'"content":{"text":"x"},"created_at_ms":1}}'
    )
    old = from_body(raw)
    assert old is not None
    assert (old.message.classification, old.message.declared_purpose) == (None, Purpose.PROMOTIONAL)
    found = Classification("spam", 0.97, "abc", hold_ms=5)
    message = msgspec.structs.replace(old.message, classification=found, declared=Purpose.TRANSACTIONAL)
    read = from_body(to_body(Envelope(message)))
    assert read is not None
    assert read.message == message

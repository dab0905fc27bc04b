from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chappe.pipeline.providers.breaker import BreakerPolicy, CircuitBreaker, CircuitState

POLICY = BreakerPolicy(failures_to_open=3, open_ms=1_000, open_cap_ms=8_000, trial_ms=500)


def opened(at_ms: int = 0) -> CircuitBreaker:
    breaker = CircuitBreaker(POLICY)
    for _ in range(POLICY.failures_to_open):
        breaker.failed(at_ms)
    return breaker


def test_it_opens_after_failures_in_a_row() -> None:
    breaker = CircuitBreaker(POLICY)
    breaker.failed(0)
    breaker.failed(0)
    assert breaker.state(0) is CircuitState.CLOSED
    breaker.failed(0)
    assert breaker.state(0) is CircuitState.OPEN
    assert not breaker.try_pass(999)
    assert breaker.closed_from_ms(10) == 1_000


def test_a_clock_that_is_set_back_does_not_keep_it_open() -> None:
    day_ms = 86_400_000
    breaker = opened(at_ms=day_ms)
    assert breaker.closed_from_ms(0) == POLICY.open_ms
    assert breaker.try_pass(POLICY.open_ms)
    trying = opened(at_ms=day_ms)
    assert trying.try_pass(day_ms + POLICY.open_ms)
    assert trying.closed_from_ms(0) <= POLICY.open_ms


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = CircuitBreaker(POLICY)
    for _ in range(10):
        breaker.failed(0)
        breaker.failed(0)
        breaker.succeeded()
    assert breaker.state(0) is CircuitState.CLOSED


def test_half_open_lets_one_attempt_through() -> None:
    breaker = opened()
    assert breaker.state(1_000) is CircuitState.HALF_OPEN
    assert breaker.try_pass(1_000)
    assert not breaker.try_pass(1_001)
    breaker.succeeded()
    assert breaker.state(1_002) is CircuitState.CLOSED
    assert breaker.try_pass(1_002)


def test_each_failed_trial_doubles_the_time_up_to_the_cap() -> None:
    breaker, now_ms, spans = opened(), 1_000, []
    for _ in range(6):
        assert breaker.try_pass(now_ms)
        breaker.failed(now_ms)
        spans.append(breaker.closed_from_ms(now_ms) - now_ms)
        now_ms = breaker.closed_from_ms(now_ms)
    assert spans == [2_000, 4_000, 8_000, 8_000, 8_000, 8_000]


def test_after_it_closed_it_opens_for_the_first_time_again() -> None:
    breaker = opened()
    breaker.try_pass(1_000)
    breaker.failed(1_000)
    breaker.try_pass(3_000)
    breaker.succeeded()
    for _ in range(POLICY.failures_to_open):
        breaker.failed(5_000)
    assert breaker.closed_from_ms(5_000) == 6_000


def test_stragglers_from_before_do_not_lengthen_it() -> None:
    breaker = opened()
    for _ in range(50):
        breaker.failed(10)
    assert breaker.closed_from_ms(10) == 1_000


def test_a_trial_that_never_reports_is_forgotten() -> None:
    breaker = opened()
    assert breaker.try_pass(1_000)
    assert not breaker.try_pass(1_499)
    assert breaker.try_pass(1_500)


class BreakerMachine(RuleBasedStateMachine):
    """Whatever happens, an open circuit lets nothing through and a half-open one a single trial."""

    @initialize()
    def begin(self) -> None:
        self.breaker = CircuitBreaker(POLICY)
        self.now_ms = 0
        self.trials = 0

    @rule(ms=st.integers(0, 3_000))
    def wait(self, ms: int) -> None:
        self.now_ms += ms
        if ms >= POLICY.trial_ms:
            self.trials = 0

    @rule()
    def attempt(self) -> None:
        state = self.breaker.state(self.now_ms)
        passed = self.breaker.try_pass(self.now_ms)
        assert passed or state is not CircuitState.CLOSED
        assert not (passed and state is CircuitState.OPEN)
        if state is CircuitState.HALF_OPEN and passed:
            self.trials += 1
            assert self.trials == 1

    @rule()
    def fail(self) -> None:
        self.breaker.failed(self.now_ms)
        self.trials = 0

    @rule()
    def succeed(self) -> None:
        self.breaker.succeeded()
        self.trials = 0
        assert self.breaker.state(self.now_ms) is CircuitState.CLOSED

    @precondition(lambda self: self.breaker.state(self.now_ms) is not CircuitState.CLOSED)
    @rule()
    def it_says_when(self) -> None:
        moment = self.breaker.closed_from_ms(self.now_ms)
        assert self.now_ms <= moment <= self.now_ms + POLICY.open_cap_ms
        self.now_ms, self.trials = moment, 0
        assert self.breaker.state(moment) is CircuitState.HALF_OPEN

    @invariant()
    def the_state_and_the_moment_agree(self) -> None:
        if self.breaker.state(self.now_ms) is CircuitState.OPEN:
            assert self.breaker.closed_from_ms(self.now_ms) > self.now_ms


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

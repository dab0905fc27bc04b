"""(p) Verdicts per second on one core with the whole catalogue, and what further rules cost."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from itertools import product
from string import ascii_uppercase
from typing import Any

import msgspec

from bench.figure import Figure, Settings, Target, median
from bench.verdict_mix import NOW_MS, Case, cases, class_of, with_long_html
from chappe.compliance.kinds import AnyRule, FrequencyCapRule
from chappe.compliance.rule.base import StandingRule
from chappe.compliance.rule_sets.rule_set import RuleSet, load_rule_set
from chappe.model.jurisdictions import lineage

CASES = 20_000
CASES_QUICK = 4_000
UNINDEXED_CASES = 400
RULES = (1_000, 5_000)
VERDICTS_PER_SECOND = 50_000
P99_US = 200.0
FLAT = 1.25
_WARM_UP = 2_000

Decide = Callable[[Case], object]


def run(settings: Settings) -> Figure:
    """Decide the mix, then each of its classes, then the mix with more rules."""
    shipped = load_rule_set()
    mix = cases(shipped, CASES_QUICK if settings.quick else CASES)
    # As the server does once it has started: what stays for good is not looked through again and again.
    gc.collect()
    gc.freeze()
    rows = [_row("all", shipped, mix, settings)]
    by_class = {name: [case for case in mix if class_of(case) == name] for name in sorted(set(map(class_of, mix)))}
    rows += [_row(name, shipped, asked, settings) for name, asked in by_class.items()]
    mails = [with_long_html(case) for case in by_class["email promotional"]]
    rows.append(_row("email promotional, 4 KB of HTML", shipped, mails, settings))
    rows.append(_row("all, asked rule by rule", shipped, mix[:UNINDEXED_CASES], settings, _one_by_one(shipped)))
    for count in RULES:
        more = RuleSet(_with_clones(shipped.rules, count, elsewhere=True))
        rows.append(_row("all, further rules elsewhere", more, mix, settings))
        rows.append(_row("the same, rule by rule", more, mix[:UNINDEXED_CASES], settings, _one_by_one(more)))
    for count in RULES:
        crowded = RuleSet(_with_clones(shipped.rules, count, elsewhere=False))
        rows.append(_row("all, further rules in the same places", crowded, mix[:CASES_QUICK], settings))
    figure = Figure("p", f"Verdicts on one core: the {len(shipped.rules)} rules of the catalogue, and more", rows)
    elsewhere = [row["us each"] for row in rows if row["messages"] == "all, further rules elsewhere"]
    figure.targets = [
        Target("verdicts/s with the whole catalogue", VERDICTS_PER_SECOND, rows[0]["verdicts/s"]),
        Target("one verdict, P99 us", P99_US, rows[0]["P99 us"], at_most=True),
        Target(
            f"cost with {RULES[-1]:,} rules, times that with the catalogue",
            FLAT,
            max(elsewhere) / rows[0]["us each"],
            at_most=True,
        ),
    ]
    figure.notes = [
        "One thread, one call of `decide` per message, without gathering the facts. No two contents are alike, and",
        "each consent is a person's own. `rules met` is the mean number that bind a message and stand in its",
        "decision. Further rules are copies of the shipped ones: elsewhere, in made-up places to which nothing goes;",
        "in the same places, every message meets all copies of what binds it, and the cost grows with what it meets.",
        "Rule by rule, each message looks through the whole set for what binds it and asks that, with nothing kept;",
        "hours and putting the verdict together are left out there, which favours it.",
    ]
    return figure


def _row(
    name: str, rules: RuleSet, asked: Sequence[Case], settings: Settings, decide: Decide | None = None
) -> dict[str, Any]:
    asking = decide or (lambda case: rules.decide(case.message, case.facts, NOW_MS))
    for case in asked[:_WARM_UP]:
        asking(case)
    rate = median([_rate(asking, asked) for _ in range(settings.rounds)])
    taken_us = sorted(_taken_us(asking, asked))
    met = sum(len(rules.decide(case.message, case.facts, NOW_MS).rules) for case in asked[:_WARM_UP])
    return {
        "messages": name,
        "rules": len(rules.rules),
        "rules met": met / len(asked[:_WARM_UP]),
        "verdicts/s": rate,
        "us each": 1e6 / rate,
        "P50 us": taken_us[len(taken_us) // 2],
        "P99 us": taken_us[len(taken_us) * 99 // 100],
    }


def _rate(asking: Decide, asked: Sequence[Case]) -> float:
    """Per second of this thread's processor time, so that other work on the core does not count."""
    begun = time.thread_time()
    for case in asked:
        asking(case)
    return len(asked) / (time.thread_time() - begun)


def _taken_us(asking: Decide, asked: Sequence[Case]) -> list[float]:
    taken = []
    for case in asked:
        begun = time.perf_counter_ns()
        asking(case)
        taken.append((time.perf_counter_ns() - begun) / 1000)
    return taken


def _with_clones(rules: Sequence[AnyRule], count: int, *, elsewhere: bool) -> list[AnyRule]:
    """The rules and copies of them, so many in all."""
    places = [f"{first}{second}" for first, second in product("QX", ascii_uppercase)]
    more = list(rules)
    for number in range(count - len(rules)):
        rule = rules[number % len(rules)]
        place = places[number // len(rules) % len(places)] if elsewhere else rule.jurisdiction
        more.append(_copy(rule, f"{rule.id}-{number}"[-100:].strip("-"), place))
    return more


def _copy(rule: AnyRule, name: str, place: str) -> AnyRule:
    try:
        return msgspec.structs.replace(rule, id=name, jurisdiction=place)
    except ValueError:  # working days are counted by a real country's holidays
        return msgspec.structs.replace(rule, id=name)


def _one_by_one(rules: RuleSet) -> Decide:
    def ask(case: Case) -> object:
        message, facts = case
        places = lineage(facts.jurisdiction)
        binding = [
            rule
            for rule in rules.rules
            if rule.jurisdiction in places and rule.binds(message.channel, message.purpose, message.category)
        ]
        asked = (rule for rule in binding if isinstance(rule, StandingRule | FrequencyCapRule))
        return [rule.judge(message, facts, NOW_MS) for rule in asked]

    return ask

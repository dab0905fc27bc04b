"""The versions of the rule set, and the one that decides."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

import msgspec
import structlog

from chappe.compliance.kinds import AnyRule
from chappe.compliance.rule_sets.rollout import Rollout, Rules, Stage
from chappe.compliance.rule_sets.rule_set import RuleSet
from chappe.model.errors import Conflict, DataDamaged
from chappe.pipeline.rules.checking import Checked, check_rules
from chappe.pipeline.rules.starting import ActivationPolicy, bring_in, stored_form
from chappe.records.rule_sets import (
    Activation,
    ActivationKind,
    Author,
    InForce,
    Origin,
    RuleSetRecords,
    StagedPart,
    VersionSummary,
)

_KEPT = 8
"""Compiled versions that are kept, beside those in force."""
_decoder = msgspec.json.Decoder(tuple[AnyRule, ...])
_log = structlog.get_logger("chappe.rules")


class RuleSets:
    """Keeps the versions; `put_in_force` is handed what decides from now on. Use from one event loop."""

    def __init__(
        self, records: RuleSetRecords, now_ms: Callable[[], int], put_in_force: Callable[[Rules], None]
    ) -> None:
        self.records = records
        self._now_ms = now_ms
        self._put_in_force = put_in_force
        self._compiled: OrderedDict[int, RuleSet] = OrderedDict()
        self._changing = asyncio.Lock()
        self._active: Activation | None = None

    async def start(self, configured: Sequence[AnyRule], policy: ActivationPolicy) -> None:
        """Store the configured rules if they are new, and put in force what is to be.

        Raises `DataDamaged` if that cannot be read.
        """
        await bring_in(self.records, configured, policy, self._now_ms)
        active = await self.records.last_activation()
        assert active is not None, "the first start activates a version"
        await self._switch(active)

    @property
    def active(self) -> Activation:
        """The activation that says what is in force."""
        assert self._active is not None, "the rule sets are not started"
        return self._active

    async def get(self, version: int) -> RuleSet:
        """A version, compiled. Raises `RuleSetNotFound`, and `DataDamaged` if it cannot be read."""
        kept = self._compiled.get(version)
        if kept is None:
            stored = await self.records.get(version)
            kept = await asyncio.to_thread(_compile, stored.rules, version)
            self._compiled[version] = kept
        self._compiled.move_to_end(version)
        while len(self._compiled) > _KEPT:
            self._compiled.popitem(last=False)
        return kept

    async def check(self, text: str, base: int | None = None, remove: Collection[str] = ()) -> Checked:
        """What rules in YAML come to, alone or as changes to a version. Raises `RuleSetNotFound`."""
        rules = () if base is None else (await self.get(base)).rules
        return await asyncio.to_thread(check_rules, text, rules, remove)

    async def create(
        self, text: str, author: Author, *, base: int | None = None, remove: Collection[str] = ()
    ) -> tuple[VersionSummary, Checked]:
        """Store rules as a new version, which nothing uses yet.

        Raises `InvalidRules` with every problem, `RuleSetNotFound`, and `Conflict` if they are the same as the base or
        the newest version.
        """
        checked = await self.check(text, base, remove)
        rules = checked.usable()
        stored = await asyncio.to_thread(stored_form, rules)
        summary = await self.records.add(
            stored, len(rules), origin=Origin.CREATED, base=base, at_ms=self._now_ms(), author=author
        )
        _log.info("rule_set_created", version=summary.version, rules=len(rules), author=author.key_id)
        return summary, checked

    async def activate(self, version: int, author: Author, stage: Stage | None = None) -> Activation:
        """Put a version in force for everyone, or, with a stage, for some beside the one that is for the rest.

        From the return on, every decision that is begun is made by it. Raises `RuleSetNotFound`, `DataDamaged`, and
        `Conflict` if that is in force already.
        """

        # Not to be cut off between the commit and the switch, should whoever asked go away.
        return await asyncio.shield(asyncio.create_task(self._activate(version, author, stage)))

    async def roll_back(self, author: Author) -> Activation:
        """Return to what was in force before the last activation; once more, to what was before that.

        Raises `Conflict` if there was nothing before.
        """
        return await asyncio.shield(asyncio.create_task(self._roll_back(author)))

    async def _activate(self, version: int, author: Author, stage: Stage | None) -> Activation:
        kind = ActivationKind.ACTIVATED if stage is None else ActivationKind.STAGED
        async with self._changing:
            await self.get(version)
            activation = await self.records.activate(
                kind, lambda now: _next_state(version, stage, now), at_ms=self._now_ms(), author=author
            )
            await self._switch(activation)
        return activation

    async def _roll_back(self, author: Author) -> Activation:
        async with self._changing:
            replaced = self.active.replaced
            target = None if replaced is None else await self.records.activation(replaced)
            if target is not None:
                await self._rules_of(target.in_force)
            activation = await self.records.roll_back(at_ms=self._now_ms(), author=author)
            await self._switch(activation)
        return activation

    async def _switch(self, activation: Activation) -> None:
        self._put_in_force(await self._rules_of(activation.in_force))
        self._active = activation
        staged = activation.in_force.staged
        # What a person does is news; that the first start activates the shipped rules is not.
        tell = _log.debug if activation.kind is ActivationKind.AUTOMATIC else _log.info
        tell(
            "rules_in_force",
            version=activation.in_force.version,
            staged=staged and staged.version,
            kind=activation.kind.value,
            author=activation.author.key_id,
        )

    async def _rules_of(self, state: InForce) -> Rules:
        everyone = await self.get(state.version)
        if state.staged is None:
            return everyone
        part = state.staged
        stage = Stage(part.version, part.jurisdictions, part.percent)
        return Rollout(everyone, await self.get(part.version), stage)


def _next_state(version: int, stage: Stage | None, now: InForce | None) -> InForce:
    wanted = InForce(version)
    if stage is not None:
        assert now is not None, "the first start activates a version"
        if now.version == version:
            raise Conflict(f"Version {version} is active for everyone already.", version=version)
        wanted = InForce(now.version, StagedPart(version, tuple(sorted(stage.jurisdictions)), stage.percent))
    if wanted == now:
        raise Conflict(f"Version {version} is active in just this way already.", version=version)
    return wanted


def _compile(rules: str, version: int) -> RuleSet:
    try:
        return RuleSet(_decoder.decode(rules), version)
    except msgspec.DecodeError as error:
        raise DataDamaged(
            f"Version {version} of the rule set cannot be read by this version of Chappe: {error}.", version=version
        ) from error

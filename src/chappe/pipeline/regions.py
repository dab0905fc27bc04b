"""Pipelines of regions: messages to people of some jurisdictions have queues, workers and providers of their own.

What goes to a recipient in Russia then waits in other queues than what goes to one in Canada, is decided by other
workers and handed to none but that region's providers: a flood or a failure there does not hold up anyone here, and no
provider elsewhere sees the data. Where a recipient is, is what the rules are told: the profile, then the address.

A message whose recipient turns out to be elsewhere (the profile came later, or has changed) moves to the intake of the
other pipeline before it is decided, and from a lane back to that intake before an attempt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from chappe.channels.base import Provider
from chappe.model.customer import Channel
from chappe.model.jurisdictions import lineage

Pipeline = TypeVar("Pipeline")
"""What a pipeline works with: `pipeline.context.Context`, which holds them all and so is not imported here."""


class Region(msgspec.Struct, frozen=True):
    """A pipeline of its own. `jurisdictions` are ISO 3166 codes, with all that lies in them; the closest of all regions
    counts. `routes` are its providers by channel; it has no others.
    """

    name: str
    jurisdictions: tuple[str, ...]
    routes: Mapping[Channel, Sequence[Provider]]


class Pipelines(Generic[Pipeline]):
    """The pipeline at `home`, for everybody else, and those of regions."""

    def __init__(self, home: Pipeline) -> None:
        self.home = home
        self._regions: list[Pipeline] = []
        self._by_place: dict[str, Pipeline] = {}

    def add(self, region: Region, context: Pipeline) -> None:
        """Add the pipeline of a region."""
        self._regions.append(context)
        self._by_place |= dict.fromkeys(region.jurisdictions, context)

    def at(self, jurisdiction: str | None) -> Pipeline:
        """The pipeline for a recipient who is there."""
        if not self._by_place:
            return self.home
        return next((self._by_place[place] for place in lineage(jurisdiction) if place in self._by_place), self.home)

    def __iter__(self) -> Iterator[Pipeline]:
        yield self.home
        yield from self._regions

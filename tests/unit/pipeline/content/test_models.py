"""Models stored as files, put in use, listened to in the shadow, taken back, and there again after a restart."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.unit.classify.tiny import CODE, PROMOTION, artefact, content_check
from tests.unit.pipeline.house import House, house

from chappe.classify.artefact import packaged_artefact
from chappe.model.customer import Content, Purpose, Status
from chappe.model.errors import Conflict, InvalidInput, ModelNotFound
from chappe.pipeline.content.models import Models
from chappe.records.rule_sets import Author

SOMEBODY = Author("key_1", "sam", "better")
LENIENT = artefact(sale={0: 2_000}, buy={0: 2_000}, save={0: 2_000})
"""Takes promotions for transactional messages."""
OTHER = artefact(other={0: 5})


def models(h: House) -> Models:
    assert h.pipeline.models is not None
    return h.pipeline.models


async def purpose_of(h: House, words: str) -> Purpose:
    key = await h.send(content=Content(subject="Acme", text=words))
    return (await h.becomes(key, Status.SENT, Status.BLOCKED)).message.purpose


async def test_a_model_judges_from_its_activation_on_until_it_is_rolled_back(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        assert await purpose_of(h, PROMOTION) is Purpose.PROMOTIONAL
        await models(h).add(LENIENT)
        assert await purpose_of(h, PROMOTION) is Purpose.PROMOTIONAL
        activation = await models(h).activate(LENIENT.version, SOMEBODY)
        assert activation.in_use.version == LENIENT.version
        assert await purpose_of(h, PROMOTION) is Purpose.TRANSACTIONAL
        with pytest.raises(Conflict, match="in use already"):
            await models(h).activate(LENIENT.version, SOMEBODY)
        await models(h).add(OTHER)
        await models(h).activate(OTHER.version, SOMEBODY)
        assert (await models(h).roll_back(SOMEBODY)).in_use.version == LENIENT.version
        assert (await models(h).roll_back(SOMEBODY)).in_use.version is None
        assert models(h).serving.model.version == packaged_artefact().version
        with pytest.raises(Conflict, match="no earlier"):
            await models(h).roll_back(SOMEBODY)


async def test_what_is_in_use_survives_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        await models(h).add(LENIENT)
        await models(h).add(OTHER)
        await models(h).activate(LENIENT.version, SOMEBODY)
        await models(h).shadow(OTHER.version, SOMEBODY)
    async with house(tmp_path, content=content_check()) as h:
        assert models(h).serving.model.version == LENIENT.version
        assert models(h).serving.shadow is not None
        assert models(h).serving.shadow.version == OTHER.version
        assert [change.author.name for change in await models(h).records.history(10)] == ["sam", "sam"]


async def test_a_shadow_is_compared_on_the_messages_that_are_sent(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        await models(h).add(OTHER)
        await models(h).add(LENIENT)
        await models(h).activate(OTHER.version, SOMEBODY)
        await models(h).shadow(LENIENT.version, SOMEBODY)
        with pytest.raises(Conflict):
            await models(h).shadow(OTHER.version, SOMEBODY)
        key = await h.send(content=Content(subject="Acme", text=PROMOTION))
        await h.send(content=Content(subject="Acme", text=CODE))
        shadow = models(h).serving.shadow
        assert shadow is not None
        assert (shadow.compared, shadow.disagreed) == (2, 1)
        assert shadow.disagreements(10)[0].message == (await h.stored(key)).message.id
        assert (await h.becomes(key, Status.BLOCKED)).message.purpose is Purpose.PROMOTIONAL
        await models(h).shadow(None, SOMEBODY)
        assert models(h).serving.shadow is None
        with pytest.raises(Conflict, match="No model"):
            await models(h).shadow(None, SOMEBODY)


async def test_models_are_listed_and_those_that_do_not_exist_are_told(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        await models(h).add(LENIENT)
        await models(h).add(LENIENT)
        found = await models(h).all()
        assert [(entry.version, entry.packaged) for entry in found] == [
            (packaged_artefact().version, True),
            (LENIENT.version, False),
        ]
        for version in ("0123456789ab", "../records", "x"):
            with pytest.raises(ModelNotFound):
                await models(h).activate(version, SOMEBODY)
            with pytest.raises(ModelNotFound):
                await models(h).get(version)
        assert await models(h).records.last() is None


async def test_a_model_that_is_not_what_its_version_says_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path, content=content_check()) as h:
        with pytest.raises(InvalidInput, match="weights are those of"):
            await models(h).add(msgspec.structs.replace(LENIENT, version=OTHER.version))
        cold = msgspec.structs.replace(LENIENT, weights=msgspec.structs.replace(LENIENT.weights, temperature=0.0))
        with pytest.raises(InvalidInput, match="temperature"):
            await models(h).add(cold)
        assert len(await models(h).all()) == 1


@pytest.mark.parametrize("damage", ["gone", "garbage"])
async def test_a_model_that_cannot_be_read_does_not_keep_the_server_from_starting(tmp_path: Path, damage: str) -> None:
    async with house(tmp_path, content=content_check()) as h:
        await models(h).add(LENIENT)
        await models(h).activate(LENIENT.version, SOMEBODY)
    file = tmp_path / "models" / f"{LENIENT.version}.json"
    assert file.stat().st_mode & 0o077 == 0
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(b"{")
    async with house(tmp_path, content=content_check()) as h:
        assert await purpose_of(h, PROMOTION) is Purpose.PROMOTIONAL
        assert LENIENT.version not in [entry.version for entry in await models(h).all()]


async def test_the_packaged_model_is_kept_when_it_is_chosen_so_that_an_upgrade_does_not_take_it_away(
    tmp_path: Path,
) -> None:
    packaged = packaged_artefact().version
    async with house(tmp_path, content=content_check()) as h:
        await models(h).add(OTHER)
        await models(h).activate(OTHER.version, SOMEBODY)
        await models(h).activate(packaged, SOMEBODY)
        assert (tmp_path / "models" / f"{packaged}.json").exists()
        assert models(h).serving.model.version == packaged

"""Ids of messages are random UUIDs, each handed out once."""

from __future__ import annotations

import uuid

from chappe.engine.embedded.message_ids import MessageIds, id_text

MANY = 1000


def test_each_id_is_a_random_uuid_of_its_own() -> None:
    ids = MessageIds()
    made = [ids.take() for _ in range(MANY)]
    assert len(set(made)) == MANY
    for each in made:
        text = id_text(each)
        assert uuid.UUID(bytes=each).version == 4
        assert uuid.UUID(bytes=each).variant == uuid.RFC_4122
        assert text == str(uuid.UUID(bytes=each))


def test_every_bit_but_those_of_version_and_variant_is_random() -> None:
    ids = MessageIds()
    ever = always = int.from_bytes(ids.take(), "big")
    for _ in range(MANY):
        number = int.from_bytes(ids.take(), "big")
        ever |= number
        always &= number
    fixed = 0b1111 << 76 | 0b11 << 62
    assert ever ^ always == (1 << 128) - 1 - fixed

"""A proof holds by the public key alone, for what it was made of and nothing else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.conformance.clocks import ManualClock
from tests.unit.pipeline.house import SIGNING_KEY, House

from chappe.model.errors import InvalidInput, Unavailable
from chappe.observe.audit.checkpoints import Checkpointer
from chappe.observe.audit.notes import from_notes, sign, to_note
from chappe.observe.audit.proofs import Proof, check_proof, prove
from chappe.observe.audit.record import ErasureRecord
from chappe.observe.audit.recording import open_entry
from chappe.observe.audit.sealing import Sealer
from chappe.observe.audit.storage import AuditStorage
from chappe.records.store import Records

PUBLIC = SIGNING_KEY.public_key()


async def proof_of(home: House, number: int) -> Proof:
    await home.audit.checkpointer.sign()
    return msgspec.json.decode(msgspec.json.encode(await home.audit.prove(number)), type=Proof)


async def test_every_record_can_be_proved_by_the_public_key_alone(home: House) -> None:
    for number in range(7):
        check_proof(await proof_of(home, number), PUBLIC)


async def test_a_record_is_proved_once_it_is_signed(home: House) -> None:
    with pytest.raises(Unavailable, match="within a minute"):
        await home.audit.prove(0)
    await home.audit.checkpointer.sign()
    with pytest.raises(Unavailable):
        await home.audit.prove(7)


async def test_a_proof_of_something_else_does_not_hold(home: House) -> None:
    proof = await proof_of(home, 3)
    other = await proof_of(home, 4)
    changed = [
        msgspec.structs.replace(proof, open_part=other.open_part),
        msgspec.structs.replace(proof, personal_part=proof.personal_part + b"x"),
        msgspec.structs.replace(proof, previous=other.previous),
        msgspec.structs.replace(proof, hash=other.hash),
        msgspec.structs.replace(proof, number=4),
        msgspec.structs.replace(proof, path=proof.path[1:]),
        msgspec.structs.replace(proof, path=(*proof.path, bytes(32))),
        msgspec.structs.replace(proof, checkpoint=proof.checkpoint.replace("\n7\n", "\n8\n")),
        msgspec.structs.replace(proof, checkpoint="nothing"),
    ]
    for wrong in changed:
        with pytest.raises(InvalidInput):
            check_proof(wrong, PUBLIC)
    with pytest.raises(InvalidInput, match="not signed with this key"):
        check_proof(proof, Ed25519PrivateKey.generate().public_key())


async def test_proofs_reach_over_tiles_files_and_growth(tmp_path: Path) -> None:
    records = await Records.open(tmp_path, now_ms=ManualClock())
    checkpointer = Checkpointer(records.audit, SIGNING_KEY, tmp_path, ManualClock())
    count = 0
    for size in (300, 512, 700, 1_333):
        entries = [open_entry(ErasureRecord(at_ms=n, persons=(n,)), n) for n in range(count, size)]
        await records.audit.append(entries)
        count = size
        assert await checkpointer.sign() == size
    await Sealer(records.audit, tmp_path, ManualClock(), segment_records=300).seal_next()
    with AuditStorage(tmp_path) as storage:
        for number in (0, 1, 255, 256, 299, 300, 511, 512, 700, 1_023, 1_024, 1_332):
            check_proof(prove(storage, number, PUBLIC), PUBLIC)
    await records.close()


async def test_a_start_brings_the_file_of_checkpoints_up_to_date(home: House, tmp_path: Path) -> None:
    await home.audit.checkpointer.sign()
    file = tmp_path / "audit" / "checkpoints"
    whole = file.read_bytes()
    for left in (b"", whole[: len(whole) // 2], whole):
        file.write_bytes(left)
        await home.audit.checkpointer.start()
        assert file.read_bytes() == whole


def test_a_note_reads_back_and_one_that_is_cut_off_is_left_out() -> None:
    first, second = sign(SIGNING_KEY, 5, b"r" * 32, 1_000), sign(SIGNING_KEY, 9, b"s" * 32, 2_001)
    text = to_note(first, PUBLIC) + to_note(second, PUBLIC)
    assert list(from_notes(text)) == [first, second]
    assert list(from_notes(text[:-1])) == [first]
    with pytest.raises(ValueError, match="not a checkpoint"):
        list(from_notes(text.replace("\n5\n", "\n05\n")))

"""What a data folder holds and whether it is sound: everything the server keeps there, without changing it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from chappe.channels import webhook_secret
from chappe.engine.embedded.doctor import Finding, Level, Progress, Report, examine
from chappe.model.errors import ChappeError, InvalidConfiguration
from chappe.observe.audit.checking import verify_quickly
from chappe.observe.audit.storage import AUDIT_FOLDER, AuditStorage
from chappe.records.database import check as check_records
from chappe.records.registries.checking import broken_files
from chappe.records.registries.store import FOLDER_NAME as REGISTRIES_FOLDER
from chappe.records.store import FILE_NAME as RECORDS_FILE
from chappe.security import audit_key, server_secret
from chappe.security.keys import KEYS_FILE, KeyStore

_RESTORE = "Restore a backup."


def examine_folder(folder: Path, progress: Progress = lambda what, done, total: None) -> Report:
    """Check everything a data folder holds, without changing it.

    A server may be running on it, but should not be started meanwhile.
    """
    report = examine(folder, progress)
    records = folder / RECORDS_FILE
    if records.exists() or server_secret.exists(folder):  # made in this order: where the secret is, records must be
        progress("records", 0, 1)
        report.findings += (_damage(RECORDS_FILE, problem, _RESTORE) for problem in check_records(records))
        progress("records", 1, 1)
        report.findings += _examine_private_files(folder)
        report.findings += _examine_audit_log(folder)
        report.findings += _examine_registries(folder)
    return report


def _examine_private_files(folder: Path) -> Iterator[Finding]:
    keys, secret = folder / KEYS_FILE, folder / server_secret.SECRET_FILE
    for path, read in (
        (keys, KeyStore),
        (secret, server_secret.load),
        (folder / webhook_secret.SECRET_FILE, webhook_secret.load),
    ):
        try:
            read(folder)
        except InvalidConfiguration as error:
            yield _damage(path.name, error.message)
    if not secret.exists() and keys.exists():
        yield _damage(secret.name, "is missing: unsubscribe links that were sent do not work without it", _RESTORE)
    if not keys.exists() and secret.exists():
        advice = "Restore a backup; otherwise the next start makes new ones."
        yield Finding(Level.WARNING, keys.name, "is missing: no credentials in use are accepted", advice)


def _examine_audit_log(folder: Path) -> Iterator[Finding]:
    """The newest records, and that no older ones are missing; `chappe audit verify` checks them all."""
    if not (folder / RECORDS_FILE).exists():
        return
    advice = "`chappe audit verify` tells more; compare with a backup."
    try:
        key = audit_key.load(folder)
        with AuditStorage(folder) as storage:
            verification = verify_quickly(storage, None if key is None else key.public_key())
    except InvalidConfiguration as error:
        yield _damage(audit_key.KEY_FILE, error.message)
        return
    except ChappeError as error:
        yield _damage(AUDIT_FOLDER, error.message, advice)
        return
    if key is None and verification.checkpoints:
        yield _damage(audit_key.KEY_FILE, "is missing: nobody can check what it has signed", _RESTORE)
    yield from (_damage(AUDIT_FOLDER, finding.what, advice) for finding in verification.findings)


def _examine_registries(folder: Path) -> Iterator[Finding]:
    if not (folder / RECORDS_FILE).exists():
        return
    for broken in broken_files(folder / RECORDS_FILE, folder / REGISTRIES_FOLDER):
        where = f"{REGISTRIES_FOLDER}, version {broken.version} of {broken.registry}"
        if broken.in_use:
            advice = "The registry does not know who is listed: import the list again, or activate another version."
            yield _damage(where, broken.what, advice)
        else:
            yield Finding(Level.WARNING, where, broken.what, "It is not in use, and cannot be returned to.")


def _damage(where: str, what: str, advice: str = "") -> Finding:
    return Finding(Level.DAMAGE, where, what, advice)

"""Suppressions that more than one asked for. There is one row for each address, channel and purpose, whoever wanted it
first, so that what takes back one request has to leave what others have asked for since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, delete, select, update

from chappe.records.inbound_tables import opt_outs
from chappe.records.tables import suppressions


def keep(connection: Connection, wanted: Mapping[int, str]) -> None:
    """Somebody else wants these suppressions (key, recipient) too: no request to stop takes them along when it is taken
    back.
    """
    query = select(opt_outs.c.id, opt_outs.c.suppressions).where(opt_outs.c.recipient.in_(set(wanted.values())))
    for row in connection.execute(query).all() if wanted else ():
        made = _keys.decode(row.suppressions)
        if not wanted.keys().isdisjoint(made):
            _store(connection, row.id, [key for key in made if key not in wanted])


def release(connection: Connection, recipient: str, keys: Sequence[int]) -> None:
    """Remove the suppressions of requests that were taken back; what a request asks for that still stands is handed
    over to it.
    """
    for row in connection.execute(select(suppressions).where(suppressions.c.id.in_(keys))).all() if keys else ():
        same = (
            opt_outs.c.recipient == recipient,
            opt_outs.c.channel == row.channel,
            opt_outs.c.purpose == row.purpose,
            opt_outs.c.lifted_at_ms.is_(None),
        )
        heir = connection.execute(select(opt_outs.c.id, opt_outs.c.suppressions).where(*same)).first()
        if heir is None:
            connection.execute(delete(suppressions).where(suppressions.c.id == row.id))
        else:
            _store(connection, heir.id, [*_keys.decode(heir.suppressions), row.id])


def _store(connection: Connection, request: int, keys: Sequence[int]) -> None:
    text = msgspec.json.encode(keys).decode()
    connection.execute(update(opt_outs).where(opt_outs.c.id == request).values(suppressions=text))


_keys = msgspec.json.Decoder(list[int])

"""The embedded engine: durable queues in one process and one data folder, on SQLite.

    engine.py     the contract's operations, put together from
                  structure.py, sending.py, receiving.py (with polling.py, dead_letters.py), ending.py
    core.py       what they share                   upkeep.py     what happens by itself
    standard.py   a standard queue in memory        fifo.py       a FIFO queue in memory
    backlog.py    order with only its ends in memory
    entry.py      one message, receipts             writes.py     what goes to disk together
    commits.py    group commit                      store.py      SQLite: schema, transactions, reads
    settling.py   from journal to rows              recovery.py   opening a folder after any end
    checkpoints.py  keeping the write-ahead log short   doctor.py   examining a folder

How a write becomes durable: operations that arrive while a commit runs form the next *page*, which is one row of the
`journal` table, so the cost is paid per commit and not per message. Memory changes after the commit. Pages older than a
few seconds are *settled*: messages still alive become rows of `messages`, the many deleted meanwhile never do, and the
page is dropped, in bounded steps that ride along with later commits. After a crash the journal is replayed and
settled before the engine opens; replay is idempotent because pages state results ("received 3 times, visible at t").
"""

from chappe.engine.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]

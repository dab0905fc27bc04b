"""The embedded engine: durable queues in one process and one data folder, on SQLite.

    engine.py       the contract's operations, put together from structure.py (queues), sending.py,
                    receiving.py (with taking.py, polling.py, dead_letters.py), ending.py and moving.py
    core.py         what they share                 upkeep.py       what happens by itself
    standard.py     a standard queue in memory      fifo.py         a FIFO queue in memory (queue.py: both)
    backlog.py      order with only its ends in memory
    entry.py        one message; receipts           deduplication.py  recent keys
                                                    attempts.py     receives that may be repeated
    writes.py       what goes to disk together      pages.py        one turn of the commit stream
    commits.py      group commit                    settling.py     from journal to rows
    store.py        what is asked of SQLite         schema.py, rows.py  its tables and their rows
    recovery.py     opening a folder after any end  checkpoints.py  keeping the write-ahead log short
    folder.py       one server, and a reserve       doctor.py       examining a folder

How a write becomes durable: operations that arrive while a commit runs form the next *page*, which is one row of the
`journal` table, so the cost is paid per commit and not per message. Memory changes after the commit. Pages older than a
few seconds are *settled*: messages still alive become rows of `messages`, the many deleted meanwhile never do, and the
page is dropped, in bounded steps that ride along with later commits. After a crash the journal is replayed and
settled before the engine opens; replay is idempotent because pages state results ("received 3 times, visible at t").
"""

from chappe.engine.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]

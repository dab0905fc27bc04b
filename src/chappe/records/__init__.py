"""Durable facts in SQL: messages to people and their timelines, consents, suppressions, idempotency keys.

Shape
    `Records` (store.py) opens the database and carries one object per subject: `messages`, `people`, `idempotency`. The
    SQL of a subject stands in its own module and nowhere else; tables.py holds the tables. The SQL is portable
    (SQLite now, PostgreSQL with the cluster): SQLAlchemy core writes it, and nothing relies on one dialect.

How it writes
    Every write goes through one `GroupCommit` (commit.py): what is submitted while a transaction runs forms the next
    one, and a submitter resumes after the COMMIT with `synchronous=FULL`. A hundred concurrent writes cost a few
    commits. Writes of one message take effect in the order they were submitted.

How it reads
    Readers have connections of their own and never wait for the writer (WAL). Point look-ups that arrive together are
    answered together, many subjects in one statement (`GroupRead`, reading.py).

Why threads and whole statements rather than an async driver
    A thread that steps through a statement row by row takes the interpreter lock again for each row, and beside a busy
    event loop each of those waits for the loop's next pause. Through aiosqlite a commit of 100 messages beside a busy
    loop took 2.8 seconds. One statement over many rows takes the lock once: the same commit takes 8 ms. So a whole
    transaction is handed to one thread, as a few statements of 2^n rows each (statements.py).

Keys
    Messages, consents and suppressions have 63-bit keys that grow with time (ids.py); their outward form is text such
    as `msg_0c8f3a...`. All moments are milliseconds since the Unix epoch.
"""

"""The audit log: why each message was sent, deferred or blocked, and that nobody has changed the account since.

What is in it
    Every binding decision, at intake and before an attempt: the message, the facts, the moment, the rule set's version
    and what each rule said. Answers to a question ("what would be decided") bind nobody and are not in it. Nor is a
    check before an attempt that was made again before anything came of it. Erasures, legal holds and the dropping of
    old records are in it too (record.py).

What is personal
    Who the message goes to, what it says and everything known of that person is in the record's personal part,
    encrypted with a key of the person (persons.py). The open part says which message, when, by which channel, for which
    purpose, under which jurisdiction, and what the rules said, without the address. Deleting the key makes the personal
    parts unreadable in every copy, backups of the log included, and changes no hash.

How it is kept honest
    Records are chained by their hashes (records/audit_pages.py) and committed with the status they explain. Checkpoints
    (checkpoints.py) sign the head of an RFC 6962 tree over the same hashes with a key made on the first start. Whoever
    has the whole data folder can forge both, so keep checkpoints elsewhere too: the file `audit/checkpoints` holds one
    per line, and `chappe audit verify --checkpoints` compares with a copy.

Where it lives
    The newest records are pages in the database. Older ones are moved into Parquet files, one folder per day
    (sealing.py), which SQL can be asked of (querying.py). What has come to the end of its retention is taken out of the
    files and leaves its hash (retention.py), so the chain still holds.
"""

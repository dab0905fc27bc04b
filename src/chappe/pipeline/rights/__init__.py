"""What people may ask about their data: a copy, erasure, restriction.

A request is recorded with its deadlines (by the rules in force) before it is answered; restricting takes effect in the
same commit. The rest is carried out in the background, in small steps that may be done again, so that a crash in the
middle only means that it goes on at the next start. Each ends with a signed receipt (receipts.py) and a record in the
audit log.

An erasure (erasing.py) leaves a keyed digest of each address, by which it stays suppressed; what a law says must be
kept; and what a legal hold covers, until that is released. The receipt names all of it, with the rules and until when.
The person's key of the audit log is deleted, which makes every personal part of every decision unreadable.

    service.py       `Rights`: requests taken, put off, looked up
    asked.py         whom a request is about, and by when it has to be met
    carrying_out.py  the worker                         packaging.py  the copy of an export
    erasing.py       what an erasure removes            keeping.py    ... and what a law keeps
    earlier.py       copies and names that earlier requests left
    finishing.py     a request done, or held            receipts.py   ... and what is signed then
"""

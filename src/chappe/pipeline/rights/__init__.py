"""What people may ask about their data: a copy, erasure, restriction.

A request is recorded with its deadlines (by the rules in force) before it is answered; restricting takes effect in the
same commit. The rest is carried out in the background, in small steps that may be done again, so that a crash in the
middle only means that it goes on at the next start. Each ends with a signed receipt (receipts.py) and a record in the
audit log.

An erasure (erasing.py) leaves a keyed digest of each address, by which it stays suppressed; what a law says must be
kept; and what a legal hold covers, until that is released. The receipt names all of it, with the rules and until when.
The person's key of the audit log is deleted, which makes every personal part of every decision unreadable.
"""

"""What a person's answer means: leave me alone, help, start again, or something else.

    reading.py      `read_reply`: the whole way from a text to a `Reply`
    reply.py        what comes out of it
    normalising.py  a text as plain words: case, width, diacritics, emoji, repeated letters, signatures
    keywords.py     the words that mean one thing alone (STOP, BAJA, 退订), and how they are mistyped
    phrases.py      free text: scored evidence, and what takes it back ("don't stop the updates")
    patterns.py     the small language in which phrases are written
    tables.py       the data: languages/*.yaml and jurisdictions.yaml
    deadlines.py    by when a request has to be met
    answers.py      what is answered to it: answers.yaml

Everything is deterministic and explains itself: a `Reply` names each piece of evidence with its weight. Nothing here
performs I/O once the tables are loaded.

In the United States any reasonable wording revokes consent (47 CFR 64.1200(a)(10)), so keywords alone are not enough;
and taking an ordinary answer for an opt-out silences a person who wanted to hear. Between the two is a middle: a reply
whose confidence is below `CERTAIN` is for people to look at.
"""

from chappe.compliance.opt_out.reading import read_reply
from chappe.compliance.opt_out.reply import CERTAIN, POSSIBLE, Evidence, EvidenceKind, Intent, Reply, Scope

__all__ = ["CERTAIN", "POSSIBLE", "Evidence", "EvidenceKind", "Intent", "Reply", "Scope", "read_reply"]

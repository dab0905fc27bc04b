"""What a message is decided from, the decision, and its account for the audit log.

    gathering.py    what it is decided from: read anew
    fresh_facts.py  ... or known from a moment ago
    looking_up.py   what has to be read, by where the recipient is
    known.py        from records to the facts that rules are told
    person.py       ... those about the person
    honouring.py    deadlines and words by the rules in force
    judging.py      what rules and content say
    deciding.py     the step that follows
    accounts.py     what the audit log is told of it
    recorded.py     ... and read back, to decide again by other rules

Deciding is pure: values in, a step out, and the same again for whoever checks it later.
"""

"""Rules together.

    rule_set.py       `RuleSet`: immutable, numbered, compiled; what is asked for a decision
    editions.py       the rules that bind a class of messages, made ready to be asked
    timetable.py      when the hours rules of a set are open
    duties.py         what a set asks of records and requests
    rollout.py        one set for some recipients, another for the rest
    changes.py        sets made from one another, and compared
    unmet.py          rules whose unmet requirements are put on record only
    trying.py         a rule asked about its own examples
    trying_duties.py  ... where it is about duties

A set is a value: whatever is changed makes another one, and two may decide side by side.
"""

"""What is known when a message is decided: plain values, gathered by the caller.

    recipient.py   `Facts`: all of it together
    person.py      ... of the person beyond the address: age, relationship, wishes
    consents.py    ... of what was agreed to, and how it came about
    opt_outs.py    ... of requests to stop
    registries.py  ... of what registries say

Whatever is not known is None or empty, and a rule that needs it says what it does without.
"""

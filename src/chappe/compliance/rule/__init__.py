"""What one rule is, whatever its kind.

    base.py           `Rule`, and what is asked of rules that need only the message, the facts and the moment
    hours_rule.py     ... of those about the clock on the recipient's wall
    conditions.py     when it binds: an expression in CEL
    inputs.py         what its outcome depends on, so that one worked out already can be used again
    examples.py       messages beside it, and what it says of each
    duty_examples.py  ... and records or requests, beside a rule about duties
    record_kinds.py   the records that duties are about

A kind (`kinds`) adds its parameters and a pure function over them.
"""

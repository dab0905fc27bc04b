"""Which rules decide: versions of the rule set, and how another one comes into force while messages are decided.

    rule_sets.py    `RuleSets`: create, look at, activate, roll back
    starting.py     what a start makes of the configured rules
    checking.py     everything wrong with rules that somebody wrote     costs.py      ... what their conditions cost
    comparing.py    decisions side by side, counted                     backtests.py  ... of the recorded ones

How a version comes into force
    It is compiled first, so that nothing can fail afterwards; then one row says that it is in force; then the pipeline
    is given it. A decision is made by the rules that were there when its batch was taken up, from the look-up to the
    verdict, and names the version that made it. All workers look at the same place, so the next batch of each uses the
    new rules. A crash before the commit leaves the old version in force, one after it the new.

What was decided stays decided
    A message that was deferred is decided again when its time comes, by the rules in force then. It is not brought
    forward when rules become milder.
"""

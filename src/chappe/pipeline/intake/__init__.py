"""The first decision that binds: on to a lane, back until later, held for a person, or to an end.

    worker.py     decides batch after batch of one purpose
    outcome.py    ... and where each message goes on to
    reviewing.py  what was held comes back, by a person's word or after a time
    reconcile.py  what must be queued again after a crash

A message that was deferred comes by here again, and is decided anew.
"""

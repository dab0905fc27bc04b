"""From a lane to a provider, and what comes of it.

    lane.py         received, held, attempted: the workers of one purpose and channel
    held.py         what a lane knows of a message
    hands.py        who holds a message now
    dispatching.py  checked once more before an attempt
    handing.py      how it is handed over
    amending.py     ... with what the rules require of its content
    unsubscribe.py  ... and one-click links
    sms_length.py   ... and the parts that a text is sent in
    attempt.py      one try at one provider
    starts.py       its begin, recorded
    settling.py     its result, recorded and then settled with the queue

A message is handed over at least once, and in normal operation exactly once.
"""

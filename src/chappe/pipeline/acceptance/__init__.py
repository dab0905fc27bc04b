"""From a request to a record and a queue message: what happens before the caller is answered.

    request.py    what a caller asks for, as it arrives
    normalise.py  ... checked and made canonical
    accept.py     asked of the rules, stored and queued
    arrivals.py   what is being accepted right now

Nothing is answered before record and queue message are durable.
"""

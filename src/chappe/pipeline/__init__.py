"""The way of a message to a person: accept, classify, comply, route, dispatch.

    request.py       what a caller asks for, as it arrives           normalise.py   ... checked and made canonical
    accept.py        stored and queued before it is answered          known.py       what is known of the recipient
    intake.py        decided: to a lane, deferred, blocked or expired deciding.py    ... as pure functions
    lane.py          received from a lane and held                    dispatching.py ... checked once more
    attempt.py       one try at one provider, and what follows        settling.py    its result recorded, then settled
    gateway.py       a provider, its circuit and its slots            breaker.py, gate.py, backoff.py
    names.py         the queues                                       envelope.py    what travels in them
    hands.py         who holds a message now                          background.py  ordinary work in small slices
    reconcile.py     what a crash cut off                             unsubscribe.py one-click links
    service.py       `Pipeline`: all of it, started and stopped

Queues
    Ordinary engine queues, seen and redriven by ordinary SQS calls; bodies are JSON text. One intake queue per purpose
    and one lane per purpose and channel, so that no backlog of newsletters stands before a one-time code. Each lane has
    a dead-letter queue.

What is promised
    Nothing is answered before record and queue message are durable. From then on the message is handed to a provider
    at least once, unless it ends otherwise, and its timeline says how. In normal operation it is handed over exactly
    once: redelivered queue messages of a message that is already sent are dropped. After the process was killed
    between a provider's taking a message and the record of that, the message is handed over again; providers get the
    same message id and may tell.

Order of writes
    A queue message is deleted only after the record and the next queue message are durable, so a crash anywhere leads
    to a repetition of work, not to loss. A record always exists before its queue message is acted on; a queue message
    without a record is left over from a request that was never answered, and is dropped.

Fairness
    Transactional work runs as it comes. Promotional work (validation of batches included) runs in slices of half a
    millisecond, one slice per turn of the event loop. A provider's slots are never all taken by promotional messages.
"""

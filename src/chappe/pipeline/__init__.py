"""The way of a message to a person: accept, classify, comply, route, dispatch.

    acceptance/    from a request to a record and a queue message
    content/       what a message is, by its content
    verdicts/      what it is decided from, and the decision
    intake/        the first decision that binds, and what is held or comes back
    delivery/      from a lane to a provider, and what comes of it
    providers/     a provider's slots, circuits and waits
    inbound/       what people answer: STOP, HELP, START
    rules/         versions of the rule set, activation, backtests
    rights/        what people may ask about their data
    service.py     `Pipeline`: all of it, started and stopped
    context.py     what all parts share               regions.py    pipelines of regions
    names.py       the queues                         envelope.py   ... what travels in them
    background.py  ordinary work in small slices      failures.py   what a worker does when work fails
    retention.py   what is removed in time            readings.py   what a scrape of the metrics shows

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
    to a repetition of work, not to loss. A record is durable before its
    message goes to a provider; a queue message without a record is left over from a request that was never answered,
    and is dropped.

Fairness
    Transactional work runs as it comes. Promotional work (validation of batches included) runs in slices of half a
    millisecond, one slice per turn of the event loop, and spaced out while transactional work is under way. A
    provider's slots are never all taken by promotional messages.
"""

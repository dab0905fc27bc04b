"""The way of a message to a person: accept, classify, comply, route, dispatch.

    request.py       what a caller asks for, as it arrives      normalise.py    ... checked and made canonical
    accept.py        stored and queued before it is answered    arrivals.py     ... who is being accepted right now
    intake.py        decided: on, later, blocked or expired     known.py, deciding.py, judging.py
    gathering.py     what it is decided from, looked up         fresh_facts.py  ... or known from a moment ago
    classify.py      judged by its content, once                models.py       ... the models that judge
    second_opinion.py  ... a second time, where uncertain
    reviewing.py     held, and brought back by a person         classifier_readings.py  ... and what is counted
    lane.py          received from a lane, held, attempted      dispatching.py  ... checked once more before
    attempt.py       one try at one provider                    settling.py     ... its result recorded, then settled
    starts.py        the begin of attempts, recorded            held.py         ... what a lane knows of a message
    gateway.py       a provider, its circuits and its slots     breaker.py, gate.py, backoff.py
    names.py         the queues                                 envelope.py     ... what travels in them
    hands.py         who holds a message now                    background.py   ordinary work in small slices
    reconcile.py     what must be queued again                  failures.py     what a worker does when work fails
    inbound.py       what people answer: STOP, HELP, START      inbound_request.py  ... as it arrives
    inbound_effects.py  what follows from it               inbound_answers.py  ... and what is said in return
    honouring.py     deadlines and words by the rules
    unsubscribe.py   one-click links                            context.py      what all parts share
    rules/           versions of the rule set, activation, backtests
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
    to a repetition of work, not to loss. A record is durable before its
    message goes to a provider; a queue message without a record is left over from a request that was never answered,
    and is dropped.

Fairness
    Transactional work runs as it comes. Promotional work (validation of batches included) runs in slices of half a
    millisecond, one slice per turn of the event loop, and spaced out while transactional work is under way. A
    provider's slots are never all taken by promotional messages.
"""

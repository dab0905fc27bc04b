"""The Messages API: REST over JSON, as an ASGI application.

    application.py   `build_app`                          operations.py  every operation, for routing and for OpenAPI
    operation.py     what an operation is                 (large subjects have a table of their own)
    endpoint.py      from a request to a call             call.py        what an operation is handed
    problems.py      errors as RFC 9457 documents         errors.py      errors of the HTTP layer
    bodies.py        JSON in, bounded and checked         answers.py     JSON out
    claims.py        Idempotency-Key                      paging.py      cursors
    messages.py, batches.py, people.py, unsubscribe.py, queues.py, sandbox.py, service.py    the operations
    registries.py, lists.py          registries, and lists to import: bodies of any size, taken as they arrive
    views.py, presenting.py, requests.py                  the documents that go out and come in
    openapi.py       /openapi.json, from the same table

Moments are RFC 3339 text in both directions. An error names the field by JSON pointer where there is one. A message
that the rules block is no error: it is taken, and its decision says why.
"""

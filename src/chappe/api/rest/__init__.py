"""The Messages API: REST over JSON, as an ASGI application.

Every subject is a room of its own: `messages`, `people`, `inbound`, `data_subjects`, `registries`, `rates`, `rules`,
`audit`, `classification`, `unsubscribing`, `server`. In each, operations.py is its part of the table, documents.py what
comes in and goes out, presenting.py the way to the latter; the other files carry the operations out. What they share:

    application.py   `build_app`                          operations.py  every operation, for routing and for OpenAPI
    operation.py     what an operation is                 openapi.py     /openapi.json, from the same table
    endpoint.py      from a request to a call             call.py        what an operation is handed
    bodies.py        JSON in, bounded and checked         answers.py     JSON out
    query.py         query parameters                     paging.py      limits and cursors
    problems.py      errors as RFC 9457 documents         errors.py      errors of the HTTP layer
    claims.py        Idempotency-Key                      presenting.py  moments and recipients in documents
    choices.py       what a field may be                  places.py      codes of jurisdictions
    list_layout.py   how a list to import is written      imports.py     how its import stands

Moments are RFC 3339 text in both directions. An error names the field by JSON pointer where there is one. A message
that the rules block is no error: it is taken, and its decision says why.
"""

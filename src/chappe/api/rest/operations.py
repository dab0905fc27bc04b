"""Every operation of the API, in one table: routing and the OpenAPI document are both made from it.

Each room has its own part, and one tag in the OpenAPI document.
"""

from __future__ import annotations

from chappe.api.rest.audit import operations as audit
from chappe.api.rest.classification import operations as classification
from chappe.api.rest.data_subjects import operations as data_subjects
from chappe.api.rest.inbound import operations as inbound
from chappe.api.rest.messages import operations as messages
from chappe.api.rest.operation import Operation
from chappe.api.rest.people import operations as people
from chappe.api.rest.rates import operations as rates
from chappe.api.rest.registries import operations as registries
from chappe.api.rest.rules import operations as rules
from chappe.api.rest.server import operations as server
from chappe.api.rest.unsubscribing import operations as unsubscribing

OPERATIONS: tuple[Operation, ...] = (
    *messages.OPERATIONS,
    *people.OPERATIONS,
    *inbound.OPERATIONS,
    *data_subjects.OPERATIONS,
    *registries.OPERATIONS,
    *rates.OPERATIONS,
    *rules.OPERATIONS,
    *audit.OPERATIONS,
    *classification.OPERATIONS,
    *unsubscribing.OPERATIONS,
    *server.OPERATIONS,
)

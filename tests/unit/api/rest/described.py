"""What /openapi.json says, and whether an answer is as it says."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from chappe.api.rest.openapi import openapi_document

DOCUMENT: dict[str, Any] = json.loads(openapi_document())


def validate(instance: Any, schema: dict[str, Any]) -> None:
    """Raises jsonschema's `ValidationError` for what the schema does not allow."""
    validator(schema).validate(instance)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """For a schema that refers to others of the document."""
    resource = Resource.from_contents(DOCUMENT, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:openapi", resource)
    return Draft202012Validator(json.loads(json.dumps(schema).replace('"#/', '"urn:openapi#/')), registry=registry)

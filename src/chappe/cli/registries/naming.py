"""Registries on the command line: by name or by id."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from chappe.model.registry import registry_id

RegistryArgument = Annotated[str, typer.Argument(metavar="REGISTRY", help="The registry's name or id.")]


def path_of(registry: str) -> str:
    """Where a registry is in the API."""
    return f"/v1/registries/{quote(registry_id(registry), safe='')}"

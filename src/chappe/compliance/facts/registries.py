"""What registries say of a recipient, as the rules are told it."""

from __future__ import annotations

from chappe.model.registry import Listing, RegistryAnswer, RegistryKind, registry_id

__all__ = ["Listing", "RegistryAnswer", "RegistryKind", "registry_id"]

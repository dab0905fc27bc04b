"""The configuration: one TOML file, `CHAPPE_...` environment variables, and the command line's options.

What there is to set, with units, bounds and defaults, is in `sections`, a file each; docs/settings.md is made from it
with `python -m chappe.config`.
"""

from chappe.config.load import load_config, load_section
from chappe.config.sections.aws import AwsSettings
from chappe.config.sections.compliance import ComplianceSettings
from chappe.config.sections.limits import LimitSettings
from chappe.config.sections.pipeline import PipelineSettings
from chappe.config.sections.routes import RegionSettings, RouteSettings
from chappe.config.sections.server import ServerSettings
from chappe.config.sections.storage import StorageSettings
from chappe.config.settings import Config

__all__ = [
    "AwsSettings",
    "ComplianceSettings",
    "Config",
    "LimitSettings",
    "PipelineSettings",
    "RegionSettings",
    "RouteSettings",
    "ServerSettings",
    "StorageSettings",
    "load_config",
    "load_section",
]

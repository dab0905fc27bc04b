"""The configuration: one TOML file, `CHAPPE_...` environment variables, and the command line's options.

What there is to set, with units, bounds and defaults, is in `settings`; docs/settings.md is made from it with
`python -m chappe.config`.
"""

from chappe.config.load import load_config, load_section
from chappe.config.settings import (
    AwsSettings,
    ComplianceSettings,
    Config,
    LimitSettings,
    PipelineSettings,
    RouteSettings,
    ServerSettings,
    StorageSettings,
)

__all__ = [
    "AwsSettings",
    "ComplianceSettings",
    "Config",
    "LimitSettings",
    "PipelineSettings",
    "RouteSettings",
    "ServerSettings",
    "StorageSettings",
    "load_config",
    "load_section",
]

"""The sections of the configuration, a file each; the descriptions are what docs/settings.md shows.

Providers and senders are described where they are used: `chappe.channels.settings` and
`chappe.compliance.sender.profile`.
"""

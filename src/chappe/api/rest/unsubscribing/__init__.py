"""One-click unsubscription (RFC 8058)."""

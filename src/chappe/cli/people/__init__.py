"""People: who they are, what they chose, what they have a right to; `chappe suppressions` and `chappe consents` too."""

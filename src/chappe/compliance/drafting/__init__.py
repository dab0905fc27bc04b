"""Reading a regulation: proposes rules from English prose or a structured notice, for a person to accept.

Small grammars and no model: `draft` finds hours, days, caps, consents, deadlines, labels and the like, and gives each
proposal with the sentences it came from, a confidence and its doubts. What sounds like a rule and could not be read is
listed. Nothing that is drafted decides anything before somebody has accepted it.
"""

from chappe.compliance.drafting.drafting import TEXT_CHARACTERS_MAX, draft
from chappe.compliance.drafting.proposal import Draft, Proposal, Quote, Unread

__all__ = ["TEXT_CHARACTERS_MAX", "Draft", "Proposal", "Quote", "Unread", "draft"]

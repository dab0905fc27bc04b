"""Who sends in the demonstration: Acme, a shop in London that has told its messaging system everything laws ask for.

Made up, like the recipients; the numbers are from ranges kept free for fiction.
"""

from __future__ import annotations

from chappe.compliance.sender.profile import MeansKind, OptOutMeans, Registration, SenderProfile
from chappe.model.customer import Purpose

_NUMBER = "+447700900987"
_US_NUMBER = "+12025550187"

ACME = SenderProfile(
    name="Acme",
    legal_name="Acme Telescopes Ltd",
    business_number="Company no. 00000000",
    postal_address="1 Example Street, London EC1A 1AA, United Kingdom",
    phone="+44 20 7946 0987",
    email="help@acme.example",
    website="https://acme.example",
    imprint="https://acme.example/imprint",
    country="GB",
    sms_from=_NUMBER,
    voice_from=_NUMBER,
    also_from=("acme.example",),
    inbound=True,
    unsubscribe=(
        OptOutMeans(kind=MeansKind.REPLY, value="STOP"),
        OptOutMeans(kind=MeansKind.LINK, value="https://acme.example/stop"),
    ),
    languages=("en",),
    registrations=(
        Registration(
            register="TCR",
            country="US",
            id=_US_NUMBER,
            purposes=(Purpose.TRANSACTIONAL, Purpose.PROMOTIONAL),
            particulars={"brand": "BACME00", "campaign": "CACME00", "sample_messages": "filed", "opt_in_flow": "filed"},
        ),
        Registration(register="AF2M", country="FR", id="36123", purposes=(Purpose.PROMOTIONAL,)),
        Registration(register="AF2M", country="FR", id="38123", purposes=(Purpose.TRANSACTIONAL,)),
    ),
    mail_authentication=("spf", "dkim", "dmarc_aligned"),
    messages_per_day=200,
    data_region="GB",
    provider_regions=("GB",),
    safeguards=("scc",),
    retention_days=365,
)

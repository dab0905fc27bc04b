"""Messages and facts drawn at random, for properties of whole rule sets: whatever any rule may ask about is there.

Values are drawn from small pools, so that two draws often agree in part, which is what tells a wrong answer kept from
an earlier message.
"""

from __future__ import annotations

import datetime

from hypothesis import strategies as st

from chappe.compliance.calendar.local_time import AgreedHours
from chappe.compliance.facts.consents import ConsentBasis, ConsentMedium, ConsentOrigin
from chappe.compliance.facts.opt_outs import OptOutRequest, OptOutTopic, RequestMeans, Scope
from chappe.compliance.facts.person import AddressSource, Preference
from chappe.compliance.facts.recipient import (
    Consent,
    ConsentDetails,
    ConsentLevel,
    Facts,
    Person,
    Rate,
    RecentSend,
    Suppression,
)
from chappe.compliance.facts.registries import Listing, RegistryAnswer, RegistryKind
from chappe.compliance.kinds import AnyDutyRule, AnyRule
from chappe.compliance.rule_files.loading import packaged_rule_files, read_rules
from chappe.compliance.sender.profile import MeansKind, OptOutMeans, Registration, SenderProfile, Template
from chappe.demo.sender import ACME
from chappe.model.categories import ANSWERS
from chappe.model.customer import Channel, Content, CustomerMessage, Purpose, Recipient

DAY_MS = 86_400_000
NOW_MS = 20_600 * DAY_MS + 47_000_000
SHIPPED: list[AnyRule] = read_rules(packaged_rule_files())
ASKED: list[AnyRule] = [rule for rule in SHIPPED if not isinstance(rule, AnyDutyRule)]
"""The shipped rules that are asked about messages."""
PLACES = sorted({rule.jurisdiction for rule in SHIPPED} - {"*"})
CATEGORIES = sorted({category for rule in SHIPPED for category in rule.named_categories} | ANSWERS)
REGISTRIES = sorted({name for rule in SHIPPED for name in rule.registries})

MAYBE = st.sampled_from([None, True, False])
MOMENTS = st.one_of(
    st.sampled_from([NOW_MS - hours * 3_600_000 for hours in (0, 1, 5, 20, 30, 720, 8_760, 20_000)]),
    st.integers(NOW_MS - 1_200 * DAY_MS, NOW_MS + 2 * DAY_MS),
)
CHANNELS = st.sampled_from([Channel.SMS, Channel.SMS, Channel.EMAIL, Channel.EMAIL, *Channel])
PURPOSES = st.sampled_from([Purpose.PROMOTIONAL, *Purpose])
ADDRESSES = st.sampled_from(["+12125550123", "+12125550199"])
MAYBE_CHANNEL = st.none() | CHANNELS
DETAILS = st.builds(
    ConsentDetails,
    basis=st.sampled_from([None, *ConsentBasis]),
    given_by=st.sampled_from([None, *ConsentMedium]),
    origin=st.sampled_from([None, *ConsentOrigin]),
    hours=st.sampled_from([(), (AgreedHours("00:00", "24:00"),)]),
    seller=st.sampled_from([None, "Acme", "Other"]),
    pre_ticked=MAYBE,
    notice_at_ms=st.none() | MOMENTS,
    confirmation_sent_at_ms=st.none() | MOMENTS,
    confirmed_at_ms=st.none() | MOMENTS,
    wording=st.sampled_from([None, "yes"]),
    signature=st.sampled_from([None, "A. B."]),
)
CONSENTS = st.builds(
    Consent,
    channel=MAYBE_CHANNEL,
    purpose=PURPOSES,
    granted=st.sampled_from([True, True, False]),
    recorded_at_ms=MOMENTS,
    expires_at_ms=st.none() | MOMENTS,
    level=st.sampled_from([None, *ConsentLevel]),
    proof=st.sampled_from([None, "form 12"]),
    details=DETAILS,
)
PEOPLE = st.builds(
    Person,
    birth_date=st.sampled_from([None, datetime.date(1980, 2, 29), datetime.date(2012, 6, 1)]),
    parental_consent=MAYBE,
    language=st.sampled_from([None, "en", "fr-CA"]),
    is_business=MAYBE,
    customer_since_ms=st.none() | MOMENTS,
    last_purchase_ms=st.none() | MOMENTS,
    last_inquiry_ms=st.none() | MOMENTS,
    restricted=st.sampled_from([False, False, True]),
    has_contract=MAYBE,
    address_source=st.sampled_from([None, *AddressSource]),
    could_refuse_at_collection=MAYBE,
    similar_products=MAYBE,
    asked_for_consent_at_ms=st.lists(MOMENTS, max_size=2).map(tuple),
    preferences=st.lists(
        st.builds(Preference, allowed=st.booleans(), channel=MAYBE_CHANNEL, purpose=st.sampled_from([None, *Purpose])),
        max_size=2,
    ).map(tuple),
)
OPT_OUTS = st.builds(
    OptOutRequest,
    received_at_ms=MOMENTS,
    channel=MAYBE_CHANNEL,
    scope=st.sampled_from(Scope),
    topic=st.sampled_from(OptOutTopic),
    means=st.sampled_from([None, *RequestMeans]),
    keyword=st.sampled_from([None, "STOP", "arret"]),
    address=st.none() | ADDRESSES,
    confirmations_sent_at_ms=st.lists(MOMENTS, max_size=1).map(tuple),
)
LISTINGS = st.builds(Listing, category=st.sampled_from([None, "1", "banking"]), since_ms=st.none() | MOMENTS)


@st.composite
def answers(draw: st.DrawFn) -> tuple[RegistryAnswer, ...]:
    """What some registers say; of the others there is no copy."""
    found = []
    for name in draw(st.lists(st.sampled_from(REGISTRIES), max_size=15, unique=True)):
        listings = tuple(draw(st.lists(LISTINGS, max_size=2)))
        kind = draw(st.sampled_from([None, *RegistryKind]))
        as_of_ms = draw(st.sampled_from([NOW_MS - 3 * DAY_MS, NOW_MS - 60 * DAY_MS]))
        known = RegistryAnswer(name, bool(listings), kind, as_of_ms, listings)
        found.append(draw(st.sampled_from([known, known, RegistryAnswer(name, None)])))
    return tuple(found)


def _few(entries: st.SearchStrategy[object], most: int = 2) -> st.SearchStrategy[tuple[object, ...]]:
    """None as often as some: what is not there is what outcomes are kept for."""
    return st.one_of(st.just(()), st.lists(entries, min_size=1, max_size=most).map(tuple))


MEANS = st.builds(OptOutMeans, kind=st.sampled_from(MeansKind), value=st.sampled_from(["STOP", "080-123-4567"]))
DLT = Registration(
    register="DLT",
    country="IN",
    particulars={"pe_id": "1201", "telemarketer_chain": "1302"},
    templates=(Template(id="t-1", text="Acme{#var#}"),),
)
ENDING = Registration(
    register="TCR",
    country="US",
    purposes=tuple(Purpose),
    particulars={"brand": "B", "campaign": "C", "sample_messages": "filed", "opt_in_flow": "filed"},
    until=datetime.date(1970, 1, 1) + datetime.timedelta(days=NOW_MS // DAY_MS + 1),
)
"""A registration that ends when the day does."""
PROFILES = st.one_of(
    st.sampled_from([ACME, SenderProfile()]),
    st.builds(
        SenderProfile,
        name=st.none() | st.just("Acme"),
        postal_address=st.none() | st.just("1 Main Street"),
        phone=st.none() | st.just("+1 217 555 0100"),
        valid_until=st.none() | st.just(datetime.date(2026, 7, 1)),
        sms_from=st.none() | st.sampled_from(["ACME", "+12175550100"]),
        unsubscribe=st.lists(MEANS, max_size=2).map(tuple),
        data_region=st.none() | st.sampled_from(["DE", "IN"]),
        sectors=st.sampled_from([(), ("healthcare",)]),
        registrations=st.sampled_from([ACME.registrations, (*ACME.registrations, DLT), (ENDING,)]),
    ),
)
PIECES = st.sampled_from(
    [
        "Boots 20 % off",
        "Acme",
        "1 Main Street",
        "+1 217-555-0100",
        "Reply STOP to opt out.",
        "The only way to stop is to write a letter.",
        "[QC]",
        "https://bit.ly/x",
        "wine",
        "4111 1111 1111 1111",
        "diagnosis: asthma",
        "Unsubscribe: https://acme.example/stop",
        "(광고)",
        "Öffnungszeiten: täglich",
        "You are unsubscribed",
        "Msg frequency varies. Msg & data rates may apply.",
        "",
    ]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=4).map("\n".join)
CONTENTS = st.builds(
    Content,
    subject=st.none() | PIECES,
    text=st.none() | TEXTS,
    html=st.none() | st.none() | TEXTS.map("<p>{}</p><!-- STOP -->".format),
    data=st.none() | st.none() | TEXTS.map(lambda text: {"note": text}),
)
MESSAGES = st.builds(
    CustomerMessage,
    id=st.just("msg_0000000000000001"),
    to=ADDRESSES.map(lambda address: Recipient(phone=address)),
    channel=CHANNELS,
    purpose=PURPOSES,
    content=CONTENTS,
    created_at_ms=st.sampled_from([0, NOW_MS - DAY_MS]),
    sender=st.sampled_from([None, None, "ACME", "+12025550187", "+18005550100", "shop@acme.example"]),
    expires_at_ms=st.sampled_from([None, None, NOW_MS + DAY_MS]),
    metadata=st.sampled_from([None, None, {"states": "identity, how to withdraw"}]),
    category=st.none() | st.sampled_from([*sorted(ANSWERS), "consent_request"]) | st.sampled_from(CATEGORIES),
    template=st.sampled_from([None, None, "t-1", "t-2"]),
    event=st.sampled_from([None, "order-1", "order-2"]),
    language=st.sampled_from([None, "en", "fr", "de"]),
)
ZONES = st.lists(
    st.sampled_from(["America/New_York", "America/St_Johns", "Europe/Paris", "Asia/Kolkata", "Australia/Lord_Howe"]),
    max_size=2,
    unique=True,
).map(tuple)


@st.composite
def facts(draw: st.DrawFn, place: str | None) -> Facts:
    """What may be known of a recipient there."""
    sends = st.builds(RecentSend, at_ms=MOMENTS, channel=CHANNELS, purpose=PURPOSES)
    rates = st.builds(
        Rate, metric=st.just("spam_complaint_rate"), at_ms=MOMENTS, value=st.sampled_from([0.0, 0.002, 0.5])
    )
    stopped = st.builds(
        Suppression,
        address=ADDRESSES,
        channel=MAYBE_CHANNEL,
        purpose=st.sampled_from([None, *Purpose]),
        reason=st.just("STOP"),
        created_at_ms=MOMENTS,
    )
    return Facts(
        place,
        draw(ZONES),
        suppressions=draw(_few(stopped, 1)),  # type: ignore[arg-type]
        consents=draw(_few(CONSENTS, 3)),  # type: ignore[arg-type]
        recent_sends=draw(_few(sends, 5)),  # type: ignore[arg-type]
        person=draw(st.one_of(st.just(Person()), PEOPLE)),
        sender=draw(PROFILES),
        unsubscribe_links=draw(st.booleans()),
        registries=draw(st.one_of(st.just(()), answers())),
        opt_outs=draw(_few(OPT_OUTS, 2)),  # type: ignore[arg-type]
        rates=draw(_few(rates, 2)),  # type: ignore[arg-type]
    )


PLACES_OR_NONE = st.sampled_from([None, *PLACES])

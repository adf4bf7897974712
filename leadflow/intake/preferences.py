"""How a reader wants to be written to: what it is now, and what they choose; it counts from the next mail on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.intake.addresses import read_address
from leadflow.intake.ledger import Proof, lift_own_no, say, standing, write_on_consent
from leadflow.intake.people import upsert_people
from leadflow.intake.person import Person
from leadflow.models import declined, identity, lead, preference, suppression
from leadflow.playbook.model import Playbook
from leadflow.types import DAY, OWN_NO, Purpose

#: What a reader may refuse one by one.
PURPOSES = (Purpose.NURTURE, Purpose.NEWSLETTER)
TRACKING = "click_tracking"
#: At most one mail in so many days; 0 is as often as the playbook allows.
GAPS = (0, 7, 30, 90)
PAUSE = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What the owner of an address chose, or what holds where they chose nothing."""

    purposes: frozenset[str]
    #: Topics they do not want to hear of.
    declined: frozenset[str] = frozenset()
    #: One of GAPS.
    gap_days: int = 0
    paused_until: datetime | None = None
    language: str | None = None
    #: Whether their clicks may be counted.
    counts_clicks: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The owner of an address; `hash` is what a suppression is kept under."""

    identity_id: int
    lead_id: int
    address: str
    hash: str
    language: str | None


def reader_at(session: Session, identity_id: int) -> Reader | None:
    """Who reads at an address; None when nobody does any more."""
    found = session.execute(
        select(identity.c.value, identity.c.hash, identity.c.lead_id, lead.c.language)
        .join(lead, lead.c.id == identity.c.lead_id)
        .where(identity.c.id == identity_id, identity.c.kind == "email")
    ).one_or_none()
    if found is None:
        return None
    return Reader(
        identity_id=identity_id,
        lead_id=found.lead_id,
        address=found.value,
        hash=found.hash,
        language=found.language,
    )


def preferences_of(session: Session, reader: Reader, now: datetime) -> Preferences:
    """What holds for `reader` at `now`."""
    row = session.execute(
        select(preference.c.gap, preference.c.paused_until).where(preference.c.identity_id == reader.identity_id)
    ).one_or_none()
    topics = session.scalars(select(declined.c.topic).where(declined.c.identity_id == reader.identity_id))
    words = standing(session, reader.lead_id)
    paused = row.paused_until if row is not None else None
    return Preferences(
        purposes=frozenset() if _said_no(session, reader) else _agreed(words),
        declined=frozenset(topics),
        gap_days=(row.gap or 0) // DAY if row is not None else 0,
        paused_until=paused if paused is not None and paused > now else None,
        language=reader.language,
        counts_clicks=words.get(TRACKING) != "withdrawn",
    )


def choose(
    session: Session, playbook: Playbook, reader: Reader, wanted: Preferences, *, now: datetime, key: str, proof: Proof
) -> None:
    """Write what `reader` chose, in this transaction: planned mails are judged by it at their intent."""
    had = preferences_of(session, reader, now)
    _agree(session, reader, had, wanted, now, proof)
    session.execute(delete(declined).where(declined.c.identity_id == reader.identity_id))
    rows = [{"identity_id": reader.identity_id, "topic": topic, "at": now} for topic in sorted(wanted.declined)]
    if rows:
        session.execute(insert(declined), rows)
    values = {"gap": wanted.gap_days * DAY or None, "paused_until": wanted.paused_until, "updated_at": now}
    add = insert_into(session, preference).values(identity_id=reader.identity_id, **values)
    session.execute(add.on_conflict_do_update(index_elements=["identity_id"], set_=values))
    if wanted.language and wanted.language != had.language:
        told = Person(address=read_address(reader.address), columns={"language": wanted.language})
        upsert_people(session, playbook, [told], key=key, now=now, source="preferences")


def _agree(
    session: Session, reader: Reader, had: Preferences, wanted: Preferences, now: datetime, proof: Proof
) -> None:
    """Lines of the ledger for what changed: a box that was ticked before anybody looked is no consent."""
    back = wanted.purposes - had.purposes
    # Who comes back from a no to everything comes back for what they ticked alone.
    gone = (had.purposes or _open(session, reader) if back else had.purposes) - wanted.purposes
    words = dict.fromkeys(sorted(back), True) | dict.fromkeys(sorted(gone), False)
    if wanted.counts_clicks != had.counts_clicks:
        words[TRACKING] = wanted.counts_clicks
    say(session, reader.lead_id, reader.identity_id, words, now, proof)
    if back:
        lift_own_no(session, reader.identity_id, before=now)
        write_on_consent(session, reader.lead_id, now, source="preferences")


def _open(session: Session, reader: Reader) -> set[str]:
    """Purposes that nothing in the ledger refuses."""
    words = standing(session, reader.lead_id)
    return {str(purpose) for purpose in PURPOSES if words.get(purpose) != "withdrawn"}


def _agreed(words: dict[str, str]) -> frozenset[str]:
    """Reads for their trade go to whoever has not refused them, a newsletter to whoever asked for it."""
    nurture = {Purpose.NURTURE.value} if words.get(Purpose.NURTURE) != "withdrawn" else set[str]()
    letter = {Purpose.NEWSLETTER.value} if words.get(Purpose.NEWSLETTER) == "given" else set[str]()
    return frozenset(nurture | letter)


def _said_no(session: Session, reader: Reader) -> bool:
    own = select(suppression.c.reason).where(suppression.c.address_hash == reader.hash)
    return session.scalar(own.where(suppression.c.reason.in_(OWN_NO))) is not None

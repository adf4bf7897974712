"""Everything the database holds on one person: which rows of which table, and what came from outside about them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Table, Text, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from leadflow.intake.events import batches
from leadflow.models import account, enrolment, escalation, event, identity, intake, lead, message, metadata

#: Tables without a row that is about one person.
IMPERSONAL = frozenset(
    (
        *("breaker", "bucket", "business_day", "calendar", "canary", "growth", "hold", "job_run", "link", "lock"),
        *("pause", "playbook_file", "playbook_version", "scoring_rule", "sequence_live", "sweep"),
        *("tpl", "tpl_lang", "tpl_segment", "window_slot"),
        # Of programs and of networks of many people.
        *("answered", "api_key", "network"),
    )
)
#: A company is not a person, and posts from outside may speak of many: both are looked at one by one.
_APART = frozenset((account.name, intake.name))
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One person by all the ids that rows know them by."""

    lead_id: int
    account_id: int | None
    #: Column → the ids it may hold of this person.
    ids: Mapping[str, Sequence[int]]
    #: Their addresses; visitor ids and ids elsewhere.
    addresses: frozenset[str]
    others: frozenset[str]
    hashes: tuple[str, ...]
    #: As printed on an alert.
    name: str = ""
    phone: str = ""


def holder_of(session: Session, lead_id: int) -> Holder:
    """Who somebody is, in ids."""
    row = session.execute(select(lead).where(lead.c.id == lead_id)).one()
    known = session.execute(select(identity).where(identity.c.lead_id == lead_id)).all()
    identities = [one.id for one in known]
    mine = or_(message.c.lead_id == lead_id, message.c.address_id.in_(identities))
    acts = or_(event.c.lead_id == lead_id, event.c.identity_id.in_(identities))
    ids = {
        "lead_id": [lead_id],
        "identity_id": identities,
        "address_id": identities,
        "message_id": session.scalars(select(message.c.id).where(mine)).all(),
        "event_id": session.scalars(select(event.c.id).where(acts)).all(),
        "enrolment_id": session.scalars(select(enrolment.c.id).where(enrolment.c.lead_id == lead_id)).all(),
        "escalation_id": session.scalars(select(escalation.c.id).where(escalation.c.lead_id == lead_id)).all(),
    }
    return Holder(
        lead_id=lead_id,
        account_id=row.account_id,
        ids=ids,
        addresses=frozenset(one.value for one in known if one.kind == "email"),
        others=frozenset(one.value for one in known if one.kind != "email"),
        hashes=tuple(one.hash for one in known if one.kind == "email"),
        name=" ".join(filter(None, (row.first_name, row.last_name))),
        phone=row.phone or "",
    )


def personal_tables() -> Iterator[Table]:
    """Tables whose rows are found by the ids of a person, those that refer to others first."""
    for table in reversed(metadata.sorted_tables):
        if table.name not in IMPERSONAL | _APART and _columns(table):
            yield table


def rows_about(session: Session, holder: Holder) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(table, its rows about this person), for each table that has any."""
    hashed = ("suppression", _hashes(holder))
    for table in personal_tables():
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for about in _about(table, holder):
            for row in session.execute(select(table).where(about)).mappings():
                found[tuple(row[column] for column in table.primary_key)] = dict(row)
        if found:
            yield table.name, list(found.values())
    name, about = hashed
    if rows := session.execute(select(metadata.tables[name]).where(about)).mappings().all():
        yield name, [dict(row) for row in rows]
    company = session.execute(select(account).where(account.c.id == holder.account_id)).mappings().first()
    if company is not None:
        yield account.name, [dict(company)]
    if told := [entry for _id, _rest, theirs in posts_about(session, holder) for entry in theirs]:
        yield intake.name, [{"body": entry} for entry in told]


def delete_rows(session: Session, holder: Holder) -> int:
    """DELETE every row about this person; a company only where nobody else works for it. How many rows went."""
    gone = 0
    for post, rest, _theirs in list(posts_about(session, holder)):
        if rest is None:
            session.execute(delete(intake).where(intake.c.id == post))
        else:
            session.execute(update(intake).where(intake.c.id == post).values(body=rest))
        gone += 1
    for table in personal_tables():
        for about in _about(table, holder):
            gone += len(session.execute(delete(table).where(about).returning(*table.primary_key)).all())
    colleagues = select(lead.c.id).where(lead.c.account_id == holder.account_id)
    alone = delete(account).where(account.c.id == holder.account_id, ~colleagues.exists())
    session.execute(alone)
    return gone


def _columns(table: Table) -> list[tuple[ColumnElement[Any], str]]:
    """The columns by which rows of `table` are somebody's, each with the kind of id it holds."""
    own = {lead: "lead_id", identity: "identity_id", message: "message_id", event: "event_id"}
    own |= {enrolment: "enrolment_id", escalation: "escalation_id"}
    named = {*own.values(), "address_id"}
    found: list[tuple[ColumnElement[Any], str]] = [(one, one.name) for one in table.c if one.name in named]
    # What leads to others is looked up by its own key.
    return [(table.c.id, own[table])] if table in own else found


def _about(table: Table, holder: Holder) -> Iterator[ColumnElement[bool]]:
    for column, kind in _columns(table):
        for some in batches(holder.ids[kind], _AT_ONCE):
            yield column.in_(some)


def _hashes(holder: Holder) -> ColumnElement[bool]:
    column: ColumnElement[Any] = metadata.tables["suppression"].c.address_hash
    return column.in_(holder.hashes)


def posts_about(session: Session, holder: Holder) -> Iterator[tuple[int, bytes | None, list[Any]]]:
    """(id, what is left of it, what was said of this person) of each post from outside that speaks of them."""
    words = [*holder.addresses, *holder.others]
    # JSON may write the sign in the middle of an address otherwise, and PostgreSQL doubles a backslash of bytes.
    backslash = "\\" if session.get_bind().dialect.name == "sqlite" else "\\\\"
    words += [word.replace("@", f"{backslash}u0040") for word in holder.addresses]
    if not words:
        return
    text = func.lower(_as_text(session))
    rows = session.execute(
        select(intake.c.id, intake.c.body).where(or_(*(text.contains(word.lower(), autoescape=True) for word in words)))
    )
    for row in rows:
        rest, theirs = split(row.body, holder)
        if theirs:
            yield row.id, rest, theirs


def _as_text(session: Session) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "sqlite":
        return cast(intake.c.body, Text)
    return func.encode(cast(intake.c.body, LargeBinary), "escape", type_=Text)


def split(body: bytes, holder: Holder) -> tuple[bytes | None, list[Any]]:
    """A post without what it says of this person (None for nothing), and that."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        lowered = body.lower()
        named = any(address.encode() in lowered for address in holder.addresses)
        return (None, [body.decode("utf-8", "replace")]) if named else (body, [])
    if not isinstance(told, list):
        return (None, [told]) if _speaks_of(told, holder) else (body, [])
    theirs = [entry for entry in told if _speaks_of(entry, holder)]
    others = [entry for entry in told if not _speaks_of(entry, holder)]
    return json.dumps(others, ensure_ascii=False).encode() if others else None, theirs


def _speaks_of(entry: Any, holder: Holder) -> bool:
    return any(
        value in holder.others or any(address in value.casefold() for address in holder.addresses)
        for value in _texts(entry)
    )


def _texts(value: Any) -> Iterable[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)

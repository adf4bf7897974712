"""Keeps the playbook's emails as rows, so that choosing the best one is a join; writes only what differs."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, case, delete, func, insert, literal, select
from sqlalchemy.orm import Session

from leadflow.conditions.json import json_plain
from leadflow.email.catalog import Email, body_for
from leadflow.models import account, lead, tpl, tpl_lang, tpl_segment
from leadflow.playbook.model import Playbook
from leadflow.playbook.vocabulary import ENGAGEMENT_BANDS, FIT_BANDS
from leadflow.types import Purpose, SpanKind

Row = dict[str, Any]


def load_catalogue(session: Session, playbook: Playbook) -> None:
    """Make tpl, tpl_segment and tpl_lang say what the playbook says; a second time writes nothing."""
    tags = session.scalars(select(func.coalesce(lead.c.language, "")).distinct())
    languages = sorted({"", *playbook.brand.languages, *tags})
    emails = sorted(playbook.emails.values(), key=lambda email: email.name)
    _rewrite(session, tpl, (_template(playbook, email) for email in emails))
    _rewrite(
        session,
        tpl_segment,
        ({"template": email.name, "segment": segment} for email in emails for segment in email.audience.segments),
    )
    names = needed_names(playbook)
    _rewrite(session, tpl_lang, (row for email in emails for row in _languages(playbook, email, languages, names)))


def needed_names(playbook: Playbook) -> tuple[str, ...]:
    """Every dotted name some email cannot do without; bit i of `needs` and `has` is the i-th."""
    names = {name for email in playbook.emails.values() for needs in email.needs.values() for name in needs}
    return tuple(sorted(names))


def when_bits(playbook: Playbook) -> dict[str, int]:
    """The bit of each email that has a `when` of its own."""
    named = [name for name, email in sorted(playbook.emails.items()) if email.audience.when is not None]
    return {name: 1 << i for i, name in enumerate(named)}


def has_bits(playbook: Playbook) -> ColumnElement[int]:
    """Which of the needed names a lead has a value for, over lead and its account."""
    bits: ColumnElement[int] = literal(0)
    for i, name in enumerate(needed_names(playbook)):
        bits = bits + case((_present(name), 1 << i), else_=0)
    return bits


def _present(name: str) -> ColumnElement[bool]:
    root, _, leaf = name.partition(".")
    value: ColumnElement[Any]
    if name == "company.name":
        value = account.c.name
    elif root == "lead" and leaf in {"first_name", "last_name", "language", "country", "phone"}:
        value = lead.c[leaf]
    elif root == "lead":
        value = json_plain(lead.c.attributes, leaf)
    else:
        return literal(1) == 1
    return and_(value.is_not(None), value != "")


def stage_bits(playbook: Playbook, names: Iterable[str] = ()) -> int:
    """The bits of stages, all of them for none."""
    every = [stage.name for stage in playbook.journey.stages]
    return _bits(names, every)


def _bits(given: Iterable[str], words: Iterable[str]) -> int:
    bits = {word: 1 << i for i, word in enumerate(words)}
    return sum(bits.get(word, 0) for word in set(given)) if given else sum(bits.values())


def _template(playbook: Playbook, email: Email) -> Row:
    audience, expires = email.audience, email.expires
    by_day = expires is not None and expires.kind is SpanKind.BUSINESS_DAYS
    return {
        "template": email.name,
        "purpose": str(email.purpose),
        "stages": stage_bits(playbook, audience.stage),
        "fits": _bits(audience.fit, FIT_BANDS),
        "engagements": _bits(audience.engagement, ENGAGEMENT_BANDS),
        "has_segments": bool(audience.segments),
        "when_bit": when_bits(playbook).get(email.name, 0),
        "rank": email.rank,
        "specificity": audience.specificity,
        "again_after": email.again_after,
        "expires_in": expires.amount if expires and not by_day else None,
        "expires_days": expires.amount if expires and by_day else None,
        "counted": email.purpose is not Purpose.SERVICE,
        "topic": email.topic,
        "pickable": email.pick == "best" and email.purpose is not Purpose.SERVICE,
        "version": email.version,
    }


def _languages(playbook: Playbook, email: Email, tags: Iterable[str], names: tuple[str, ...]) -> Iterator[Row]:
    for tag in tags:
        body = body_for(email, tag, playbook.brand.languages)
        if body is not None:
            needs = sum(1 << names.index(name) for name in email.needs.get(body, ()))
            yield {"template": email.name, "for_lang": tag, "lang": body, "needs": needs}


def _rewrite(session: Session, table: Table, wanted: Iterable[Row]) -> None:
    """Insert, replace and delete rows of `table` until they are those of `wanted`."""
    names = [column.name for column in table.primary_key]
    rows = {tuple(row[name] for name in names): row for row in wanted}
    held = {tuple(row[name] for name in names): dict(row) for row in session.execute(select(table)).mappings()}
    stale = [key for key, row in held.items() if rows.get(key) != row]
    fresh = [row for key, row in rows.items() if held.get(key) != row]
    if stale:
        key_is = and_(*(table.c[name] == bindparam(f"of_{name}") for name in names))
        keys = [{f"of_{name}": part for name, part in zip(names, key, strict=True)} for key in stale]
        session.connection().execute(delete(table).where(key_is), keys)
    if fresh:
        session.execute(insert(table), fresh)

"""Keys with which programs push in: made once and shown once, kept as a hash, good for what their scopes say."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from leadflow.errors import UsageError
from leadflow.models import api_key
from leadflow.reading import did_you_mean
from leadflow.text import _
from leadflow.types import HOUR, micros

#: Tells a key of ours from other strings, in the searches of those who look for leaked ones.
_PREFIX = "leadflow_"


class ApiScope(StrEnum):
    """What a key may be used for."""

    EVENTS = "events"
    LEADS = "leads"
    DEALS = "deals"
    #: Stands in the address of a social tool's webhook, where others may read it: good for nothing else.
    SOCIAL = "social"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key as it is kept."""

    name: str
    scopes: frozenset[str]
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


def read_scopes(words: str) -> tuple[ApiScope, ...]:
    """The scopes in `events,leads`; UsageError with the nearest right word."""
    asked = [word.strip() for word in words.split(",") if word.strip()]
    for word in asked:
        if word not in list(ApiScope):
            told = _('"{word}" is no scope.').format(word=word)
            raise UsageError(told + did_you_mean(word, [str(scope) for scope in ApiScope]))
    if not asked:
        raise UsageError(_("name what the key may be used for: {words}").format(words=", ".join(ApiScope)))
    return tuple(ApiScope(word) for word in dict.fromkeys(asked))


def new_key(session: Session, name: str, scopes: Collection[ApiScope], now: datetime) -> str:
    """Make a key called `name`; the one time it is seen. UsageError when the name is taken or none."""
    if not name.strip() or not name.isprintable() or len(name) > 60:
        raise UsageError(_("a key's name has 1 to 60 characters, on one line"))
    if session.scalar(select(api_key.c.name).where(api_key.c.name == name)) is not None:
        raise UsageError(_('there is a key called "{name}" already: choose another name').format(name=name))
    key = _PREFIX + secrets.token_urlsafe(32)
    words = " ".join(scopes)
    session.execute(insert(api_key).values(name=name, hash=_hash(key), scopes=words, created_at=micros(now)))
    return key


def revoke_key(session: Session, name: str, now: datetime) -> None:
    """From here on nobody gets in with it; UsageError when there is none of that name."""
    known = {row.name: row.revoked_at for row in list_keys(session)}
    if name not in known:
        raise UsageError(_('there is no key called "{name}".').format(name=name) + did_you_mean(name, known))
    if known[name] is None:
        session.execute(update(api_key).where(api_key.c.name == name).values(revoked_at=micros(now)))


def list_keys(session: Session) -> Sequence[KnownKey]:
    """All keys, those that are revoked too, by name."""
    rows = session.execute(select(api_key).order_by(api_key.c.name))
    return [
        KnownKey(
            name=row.name,
            scopes=frozenset(row.scopes.split()),
            created_at=row.created_at,
            used_at=row.used_at,
            revoked_at=row.revoked_at,
        )
        for row in rows
    ]


def find_key(session: Session, key: str, now: datetime) -> tuple[str, frozenset[str]] | None:
    """Name and scopes of a key that was not revoked; None for any other. Its hour is noted."""
    # Looked up by its hash: how long that takes tells nothing of the key.
    known = select(api_key.c.name, api_key.c.scopes).where(api_key.c.hash == _hash(key), api_key.c.revoked_at.is_(None))
    found = session.execute(known).one_or_none()
    if found is None:
        return None
    stale = or_(api_key.c.used_at.is_(None), api_key.c.used_at < micros(now) - HOUR)
    session.execute(update(api_key).where(api_key.c.name == found.name, stale).values(used_at=micros(now)))
    return found.name, frozenset(found.scopes.split())


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()

"""Whom a form asks what: of somebody who comes from a mail, only what is not known yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.email.preview import OURS
from leadflow.errors import LinkError
from leadflow.links import read_reader, sign_reader
from leadflow.models import account, consent, identity, lead, message
from leadflow.playbook.forms import question_of
from leadflow.playbook.model import Form, Playbook, Question, Wording
from leadflow.types import DAY

#: How long a click in a mail makes somebody known to a form.
_KNOWN_FOR = 30 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who asks for a form, where a word of a mail of ours says so."""

    word: str
    address: str
    #: Fields that have an answer.
    answered: frozenset[str]
    #: Purposes they agreed to.
    agreed: frozenset[str]
    language: str | None = None

    @property
    def masked(self) -> str:
        """Enough for its owner to know it by, too little for anybody a mail was forwarded to."""
        local, _at, domain = self.address.partition("@")
        return f"{local[:1]}…@{domain}"


def known_by(app: App, session: Session, url: str, message_id: int, now: int) -> str:
    """`url`, where a click in a message leads; one of our own forms or pages learns with it whose message it was."""
    door = app.settings.public_url.rstrip("/")
    if not url.startswith(tuple(f"{door}{path}" for path in OURS)):
        return url
    identity_id = session.scalar(select(message.c.address_id).where(message.c.id == message_id))
    if identity_id is None:
        return url
    word = sign_reader(app.settings.key(), identity_id, now + _KNOWN_FOR)
    return f"{url}{'&' if '?' in url else '?'}who={word}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one visitor is asked."""

    questions: tuple[Question, ...]
    consents: tuple[Wording, ...]
    reader: Reader | None = field(default=None)


def reader_of(app: App, word: str, now: int) -> Reader | None:
    """Whoever a word of a mail stands for; None for a word that is none, or over, and for somebody who is gone."""
    try:
        identity_id = read_reader(app.settings.key(), word, now)
    except LinkError:
        return None
    known = (
        select(identity.c.value, lead, account.c.name.label("company"))
        .join(lead, lead.c.id == identity.c.lead_id)
        .outerjoin(account, account.c.id == lead.c.account_id)
        .where(identity.c.id == identity_id, identity.c.kind == "email")
    )
    with Session(app.reader) as session:
        row = session.execute(known).mappings().one_or_none()
        if row is None:
            return None
        newest = select(func.max(consent.c.id)).where(consent.c.lead_id == row["id"]).group_by(consent.c.purpose)
        given = select(consent.c.purpose).where(consent.c.id.in_(newest), consent.c.state == "given")
        agreed = frozenset(session.scalars(given))
    return Reader(
        word=word,
        address=str(row["value"]),
        answered=_answered(row),
        agreed=agreed,
        language=row["language"],
    )


def _answered(row: Mapping[Any, Any]) -> frozenset[str]:
    plain = [name for name in ("first_name", "last_name", "phone", "company") if row[name]]
    return frozenset(("email", *plain, *row["attributes"]))


def asked_of(
    playbook: Playbook, form: Form, language: str, reader: Reader | None, *, posted: Mapping[str, str] | None = None
) -> Asked:
    """The questions and consents of `form` that have no answer yet, with the next one of the qualification.

    Once it is `posted`, the next one is whichever was asked: an answer given elsewhere meanwhile changes nothing.
    """
    known = reader.answered if reader else frozenset()
    questions = list(form.questions)
    if form.ask_next is not None and (following := _next(playbook, form, language, known, posted or {})):
        questions.insert(form.ask_next, following)
    agreed = reader.agreed if reader else frozenset()
    # What people say in their own words is about this time, not the last.
    again = {one.name for one in questions if one.lines > 1} | set(posted or ())
    return Asked(
        questions=tuple(one for one in questions if one.name not in known or one.name in again),
        consents=tuple(one for one in form.consents if one.purpose not in agreed),
        reader=reader,
    )


def _next(
    playbook: Playbook, form: Form, language: str, known: frozenset[str], posted: Mapping[str, str]
) -> Question | None:
    """The first criterion of the qualification that has no answer and that the form does not ask for anyway."""
    own = {question.name for question in form.questions}
    asked = dict.fromkeys(criterion.ask for criterion in playbook.journey.criteria if criterion.ask)
    able = [name for name in asked if name in playbook.fields and name not in own]
    name = next((name for name in able if name in posted), None) or next((n for n in able if n not in known), None)
    return question_of(playbook.fields[name], (language,)) if name else None

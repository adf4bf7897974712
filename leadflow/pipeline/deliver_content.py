"""Writes the mails of a claim: one query for what is known about their readers, then plain Python for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, Row, Select, bindparam, select
from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.email.compile import Compiled, compile_email
from leadflow.email.preview import page_url
from leadflow.email.render import Links, MissingValueError, Rendered, one_line, render_email
from leadflow.errors import TemplateError
from leadflow.links import click_url, click_urls, sign_click, sign_unsubscribe, unsubscribe_url
from leadflow.models import account, escalation, identity, lead, lead_state, link, message
from leadflow.pipeline.deliver_frozen import stored_playbook
from leadflow.playbook.model import Playbook, Sender
from leadflow.ports import Outgoing
from leadflow.types import EscalationState, MessageState, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A message that could not be written, and why; `note` names words of the template, never a person's."""

    id: int
    reason: Reason
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A mail that lacks its attempt id only."""

    id: int
    to: str
    to_name: str
    sender: Sender
    rendered: Rendered
    unsubscribe_url: str
    language: str
    email: str
    #: Of the text that goes out.
    version: str
    #: Whether the message was planned with another text.
    is_edited: bool


class Writer:
    """Renders messages with one playbook; an email is compiled once a run, its links are stored once a run."""

    def __init__(self, playbook: Playbook, now: datetime, *, key: str, public_url: str) -> None:
        self._playbook = playbook
        self._key = key
        self._public_url = public_url
        self._send_at = now.astimezone(ZoneInfo(playbook.office.zone))
        self._compiled: dict[_Text, Compiled | TemplateError] = {}
        self._link_ids: dict[str, int] = {}
        self._slots: dict[tuple[str, str, str], Mapping[str, int]] = {}

    def read(self, session: Session, owner: str) -> Sequence[Row[Any]]:
        """What `owner` has claimed, with its readers; whatever `write` needs of the database is looked up here."""
        rows = session.execute(claimed_readers(), {"whose": owner}).all()
        self._prepare(session, rows)
        return rows

    def write(self, rows: Sequence[Row[Any]]) -> tuple[list[Written], list[Unsent]]:
        """The mails of `rows`; one that cannot be written does not hold up the others."""
        written, unsent = [], []
        for row in rows:
            try:
                written.append(self._write(row))
            except MissingValueError as error:
                unsent.append(Unsent(id=row.id, reason=Reason.MISSING_FIELD, note=str(error)))
            except TemplateError as error:
                unsent.append(Unsent(id=row.id, reason=Reason.RENDER_FAILED, note=str(error)))
            except Exception as error:  # a poison message fails alone; its words may be a person's, its kind is not
                unsent.append(Unsent(id=row.id, reason=Reason.RENDER_FAILED, note=type(error).__name__))
        return written, unsent

    def outgoing(self, mail: Written, attempt_id: str, fresh_until: float) -> Outgoing:
        """`mail` under its attempt, which may begin until then."""
        return Outgoing(
            attempt_id=attempt_id,
            message_id=mail.id,
            to=mail.to,
            to_name=mail.to_name,
            from_address=mail.sender.address,
            from_name=mail.sender.name,
            reply_to=mail.sender.reply_to,
            subject=mail.rendered.subject,
            html=mail.rendered.html,
            text=mail.rendered.text,
            unsubscribe_url=mail.unsubscribe_url,
            language=mail.language,
            email=mail.email,
            send_at=self._send_at,
            arguments={"lf_message": str(mail.id), "lf_attempt": attempt_id},
            fresh_until=fresh_until,
        )

    def _prepare(self, session: Session, rows: Sequence[Row[Any]]) -> None:
        """Compile what is new of the texts of `rows`, and give each target of their links a row of `link`."""
        new = {self._text_of(row) for row in rows} - self._compiled.keys()
        self._compiled |= {text: _compiled(session, self._playbook, text) for text in sorted(new)}
        found = [compiled for text in new if isinstance(compiled := self._compiled[text], Compiled)]
        pages = {self._page(path) for compiled in found for path in compiled.pages}
        unknown = sorted((pages | {url for compiled in found for url in compiled.urls}) - self._link_ids.keys())
        if unknown:
            session.execute(insert_into(session, link).on_conflict_do_nothing(), [{"url": url} for url in unknown])
            stored = session.execute(select(link.c.url, link.c.id).where(link.c.url.in_(unknown)))
            self._link_ids |= {row.url: row.id for row in stored}

    def _text_of(self, row: Row[Any]) -> "_Text":
        """Today's text, or for `freeze: true` the one of the day the message was planned."""
        email = self._playbook.emails.get(row.email)
        pinned = email is not None and email.freeze and email.version != row.version
        return row.email, row.language, row.playbook if pinned else ""

    def _write(self, row: Row[Any]) -> Written:
        compiled = self._compiled[self._text_of(row)]
        if isinstance(compiled, TemplateError):
            raise compiled
        sender = sender_of(self._playbook, row)
        token = sign_unsubscribe(self._key, row.address_id, row.purpose)
        leave = unsubscribe_url(self._public_url, token)
        slots = self._link_ids_of(compiled)
        urls = click_urls(self._key, self._public_url, row.id, slots.values())
        links = Links(
            page=lambda path: self._tracked(row.id, self._page(path)),
            url=lambda url: self._tracked(row.id, url),
            unsubscribe=leave,
            made=dict(zip(slots, urls, strict=True)),
        )
        return Written(
            id=row.id,
            to=row.address,
            to_name=one_line(" ".join(filter(None, (row.first_name, row.last_name)))),
            sender=sender,
            rendered=render_email(compiled, facts_of(self._playbook, row, sender, self._send_at), links),
            unsubscribe_url=leave,
            language=row.language,
            email=row.email,
            version=compiled.version,
            is_edited=compiled.version != row.version,
        )

    def _link_ids_of(self, compiled: Compiled) -> Mapping[str, int]:
        """Slot → the row of its target."""
        key = compiled.name, compiled.language, compiled.version
        found = self._slots.get(key)
        if found is None:
            targets = ((slot, self._page(to) if kind == "page" else to) for slot, (kind, to) in compiled.slots.items())
            found = self._slots[key] = {slot: self._link_ids[url] for slot, url in targets}
        return found

    def _page(self, path: str) -> str:
        return page_url(self._playbook.brand.site, path)

    def _tracked(self, message_id: int, url: str) -> str:
        return click_url(self._public_url, sign_click(self._key, message_id, self._link_ids[url]))


#: Email, language, and the playbook it is pinned to ('' for today's).
_Text = tuple[str, str, str]


def _compiled(session: Session, playbook: Playbook, text: _Text) -> Compiled | TemplateError:
    name, language, pinned = text
    try:
        book = stored_playbook(session, pinned) if pinned else playbook
        if name not in book.emails:
            return TemplateError(f"there is no email called '{name}' any more")
        return compile_email(book.emails[name], language, book.base)
    except TemplateError as error:
        return error
    except Exception as error:  # whatever an email does to its compiler, the others must leave
        return TemplateError(f"{name} ({language}): {type(error).__name__}")


@cache
def claimed_readers() -> Select[Any]:
    """Whom the messages that `whose` has claimed go to: lead, address, company, state, salesperson."""
    own = (message.c.id, message.c.email, message.c.language, message.c.purpose, message.c.address_id)
    text = (message.c.version, message.c.playbook)
    joined = message.join(lead, lead.c.id == message.c.lead_id).join(identity, identity.c.id == message.c.address_id)
    return (
        _readers(joined, *own, *text)
        .where(message.c.state == MessageState.CLAIMED, message.c.owner == bindparam("whose"))
        .order_by(message.c.send_at, message.c.id)
    )


def reader_of(lead_id: int) -> Select[Any]:
    """The same of one lead, as a mail would go to them that no message stands for; no row without an address."""
    return _readers(lead.join(identity, identity.c.id == lead.c.address_id)).where(lead.c.id == lead_id)


def _readers(known: FromClause, *columns: ColumnElement[Any]) -> Select[Any]:
    """`columns`, and all that mails tell of the leads that `known` joins to their addresses."""
    rep = (
        select(escalation.c.rep)
        .where(escalation.c.lead_id == lead.c.id, escalation.c.state == EscalationState.ACCEPTED)
        .order_by(escalation.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    person = (lead.c.first_name, lead.c.last_name, lead.c.country, lead.c.attributes)
    joined = known.outerjoin(account, account.c.id == lead.c.account_id)
    return (
        select(*columns, *person, lead.c.language.label("reads"), identity.c.value.label("address"))
        .add_columns(account.c.name.label("company"), lead_state.c.segment_main, rep.label("rep"))
        .select_from(joined.outerjoin(lead_state, lead_state.c.lead_id == lead.c.id))
    )


def facts_of(playbook: Playbook, row: Row[Any], sender: Sender, now: datetime) -> dict[str, object]:
    """Dotted name → value of all that a template may show of one reader; None is missing. `now` is office time."""
    segment = playbook.segments.get(row.segment_main or "")
    asked = _question(playbook, row.attributes)
    declared = {f"lead.{name}": row.attributes.get(name) for name in playbook.fields}
    return {
        **declared,
        "brand.name": playbook.brand.name,
        "brand.site": playbook.brand.site,
        "brand.postal_address": playbook.brand.postal_address,
        "company.name": row.company,
        "lead.first_name": row.first_name,
        "lead.last_name": row.last_name,
        "lead.language": row.reads or row.language,
        "lead.country": row.country,
        "question.field": asked,
        "question.label": _label(playbook, asked, row.language),
        "segment.name": row.segment_main,
        "segment.title": _in(segment.title, row.language) if segment else None,
        "sender.name": sender.name,
        "sender.first_name": sender.name.split()[0] if sender.name.split() else None,
        "sender.reply_to": sender.reply_to,
        "now": now.isoformat(timespec="seconds"),
    }


def sender_of(playbook: Playbook, row: Row[Any]) -> Sender:
    """The brand's sender in the language of the mail; under the salesperson's name where the email asks for it."""
    brand: Sender | None = _in(playbook.senders, row.language)
    email = playbook.emails.get(row.email)
    if brand is None:
        raise TemplateError("leadflow.yaml names no sender")
    if email is not None and email.sender == "owner" and row.rep:
        return Sender(name=row.rep, address=brand.address, reply_to=brand.reply_to)
    return brand


def _question(playbook: Playbook, answers: Mapping[str, Any]) -> str | None:
    """The field of the first qualification criterion that nobody answered."""
    asked: Sequence[str] = [criterion.ask for criterion in playbook.journey.criteria if criterion.ask]
    return next((field for field in asked if answers.get(field) in (None, "")), None)


def _label(playbook: Playbook, field: str | None, language: str) -> str | None:
    if field is None:
        return None
    spec = playbook.fields.get(field)
    return (_in(spec.label, language) if spec else None) or field.replace("_", " ")


def _in(texts: Mapping[str, Any], language: str) -> Any:
    """The one of `language`, else the first."""
    return texts.get(language) or next(iter(texts.values()), None)

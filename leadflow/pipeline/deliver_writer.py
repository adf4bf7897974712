"""Writes the mails of a claim: what is known here, what it looks like in a child process."""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.email.frames import Shape
from leadflow.email.hidden import hidden_link
from leadflow.email.picture import picture
from leadflow.email.pool import Renderers, Task
from leadflow.email.preview import page_url
from leadflow.email.render import MissingValueError, Rendered, one_line
from leadflow.errors import TemplateError
from leadflow.links import (
    HIDDEN,
    click_urls,
    confirm_url,
    opened_url,
    preferences_url,
    sign_confirm,
    sign_opened,
    sign_preferences,
    sign_unsubscribe,
    unsubscribe_url,
)
from leadflow.models import link
from leadflow.pipeline.deliver_content import claimed_readers, facts_of, sender_of
from leadflow.pipeline.deliver_frozen import stored_playbook
from leadflow.pipeline.deliver_rows import IDS, WHOSE, ids_for
from leadflow.playbook.model import Playbook, Sender
from leadflow.ports import Outgoing
from leadflow.types import Reason

#: Tasks made between two looks at the wire: about two milliseconds.
_AT_ONCE = 50


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
    variant: str
    #: Whether the message was planned with another text.
    is_edited: bool


@dataclass(frozen=True, slots=True)
class _Draft:
    row: Row[Any]
    sender: Sender
    task: Task


#: Email, language, variant ('' for the original), and the playbook it is pinned to ('' for today's).
_Text = tuple[str, str, str, str]


class Writer:
    """Has messages rendered with one playbook; an email is compiled once a run, its links are stored once a run."""

    def __init__(self, playbook: Playbook, now: datetime, renderers: Renderers, *, key: str, public_url: str) -> None:
        self._playbook, self._renderers = playbook, renderers
        self._key, self._public_url = key, public_url
        self._send_at = now.astimezone(ZoneInfo(playbook.office.zone))
        self._shapes: dict[_Text, Shape | TemplateError] = {}
        self._link_ids: dict[str, int] = {}
        #: Key of a shape → the rows that its slots lead to, in their order.
        self._slots: dict[str, Sequence[int]] = {}

    def read(self, session: Session, owner: str, ids: Sequence[int]) -> Sequence[Row[Any]]:
        """What `owner` has claimed, with its readers; whatever `write` needs of the database is looked up here."""
        dialect = session.get_bind().dialect
        rows = session.execute(claimed_readers(dialect), {WHOSE: owner, IDS: ids_for(dialect, ids)}).all()
        self._prepare(session, rows)
        return rows

    async def write(self, rows: Sequence[Row[Any]]) -> tuple[list[Written], list[Unsent]]:
        """The mails of `rows`; one that cannot be written does not hold up the others."""
        unsent: list[Unsent] = []
        parts: list[tuple[list[_Draft], Awaitable[Sequence[Rendered | TemplateError]]]] = []
        for start in range(0, len(rows), _AT_ONCE):
            drafts = list(self._drafts(rows[start : start + _AT_ONCE], unsent))
            # They are filled in while the next are drafted.
            tasks = [draft.task for draft in drafts]
            parts.append((drafts, asyncio.create_task(self._renderers.submit(tasks))))
            await asyncio.sleep(0)
        written = []
        for drafts, outcomes in parts:
            for draft, outcome in zip(drafts, await outcomes, strict=True):
                if isinstance(outcome, Rendered):
                    written.append(_written(draft, outcome))
                else:
                    unsent.append(_unsent(draft.row, outcome))
        return written, unsent

    def _drafts(self, rows: Iterable[Row[Any]], unsent: list[Unsent]) -> Iterator[_Draft]:
        for row in rows:
            try:
                yield self._draft(row)
            except Exception as error:  # a poison message fails alone
                unsent.append(_unsent(row, error))

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
            html_json=mail.rendered.html_json,
            text_json=mail.rendered.text_json,
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
        new = {self._text_of(row) for row in rows} - self._shapes.keys()
        if not new:
            return
        self._shapes |= {text: self._compiled(session, text) for text in sorted(new)}
        found = [shape for text in new if isinstance(shape := self._shapes[text], Shape)]
        unknown = sorted({HIDDEN, *(url for shape in found for url in self._targets(shape))} - self._link_ids.keys())
        if unknown:
            session.execute(insert_into(session, link).on_conflict_do_nothing(), [{"url": url} for url in unknown])
            stored = session.execute(select(link.c.url, link.c.id).where(link.c.url.in_(unknown)))
            self._link_ids |= {row.url: row.id for row in stored}
        self._slots |= {shape.key: [self._link_ids[url] for url in self._targets(shape)] for shape in found}

    def _targets(self, shape: Shape) -> Iterator[str]:
        site, door = self._playbook.brand.site, self._public_url
        return (page_url(site, to, door) if kind == "page" else to for kind, to in shape.slots.values())

    def _compiled(self, session: Session, text: _Text) -> Shape | TemplateError:
        name, language, variant, pinned = text
        try:
            book = stored_playbook(session, pinned) if pinned else self._playbook
            if name not in book.emails:
                return TemplateError(f"there is no email called '{name}' any more")
            return self._renderers.compile(book.emails[name].as_variant(variant), language, book.base)
        except TemplateError as error:
            return error
        except Exception as error:  # whatever an email does to its compiler, the others must leave
            return TemplateError(f"{name} ({language}): {type(error).__name__}")

    def _text_of(self, row: Row[Any]) -> _Text:
        """Today's text, or for `freeze: true` the one of the day the message was planned."""
        email = self._playbook.emails.get(row.email)
        pinned = email is not None and email.freeze and email.version != row.version
        return row.email, row.language, row.variant or "", row.playbook if pinned else ""

    def _draft(self, row: Row[Any]) -> _Draft:
        shape = self._shapes[self._text_of(row)]
        if isinstance(shape, TemplateError):
            raise shape
        sender = sender_of(self._playbook, row)
        leave = unsubscribe_url(self._public_url, sign_unsubscribe(self._key, row.address_id, row.purpose))
        choose = preferences_url(self._public_url, sign_preferences(self._key, row.address_id))
        facts = facts_of(self._playbook, row, sender, self._send_at)
        urls, ending = self._urls(row, shape)
        task = Task(
            shape=shape,
            facts=facts,
            links=urls,
            unsubscribe=leave,
            preferences=choose,
            confirm=self._confirm(row),
            ending=self._picture(row) + ending,
        )
        return _Draft(row, sender, task)

    def _urls(self, row: Row[Any], shape: Shape) -> tuple[Sequence[str], str]:
        """Where the slots of `shape` lead: through our door, or straight there where no click is to be counted.

        And the link that nobody goes to but who reads the source, where there are any that are counted.
        """
        if not self._playbook.rights.tracks_links:
            return list(self._targets(shape)), ""
        slots = self._slots[shape.key]
        *urls, hidden = click_urls(self._key, self._public_url, row.id, [*slots, self._link_ids[HIDDEN]])
        return urls, hidden_link(hidden) if slots else ""

    def _picture(self, row: Row[Any]) -> str:
        """The picture that tells the day the mail was opened, where that is asked for."""
        if not self._playbook.rights.dates_opens:
            return ""
        return picture(opened_url(self._public_url, sign_opened(self._key, row.address_id)))

    def _confirm(self, row: Row[Any]) -> str:
        if row.email not in self._playbook.rights.emails.values():
            return ""
        return confirm_url(self._public_url, sign_confirm(self._key, row.id))


def _written(draft: _Draft, rendered: Rendered) -> Written:
    row, shape = draft.row, draft.task.shape
    return Written(
        id=row.id,
        to=row.address,
        to_name=one_line(" ".join(filter(None, (row.first_name, row.last_name)))),
        sender=draft.sender,
        rendered=rendered,
        unsubscribe_url=draft.task.unsubscribe,
        language=row.language,
        email=row.email,
        version=shape.version,
        variant=shape.variant,
        is_edited=(shape.version, shape.variant) != (row.version, row.variant or ""),
    )


def _unsent(row: Row[Any], error: Exception) -> Unsent:
    match error:
        case MissingValueError():
            return Unsent(id=row.id, reason=Reason.MISSING_FIELD, note=str(error))
        case TemplateError():
            return Unsent(id=row.id, reason=Reason.RENDER_FAILED, note=str(error))
        case _:  # its words may be a person's, its kind is not
            return Unsent(id=row.id, reason=Reason.RENDER_FAILED, note=type(error).__name__)

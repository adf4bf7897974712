"""`/h/{token}`: GET shows the hand-over and one button, POST gives the answer that the link of the alert stands for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from sqlalchemy import Engine, Row, select
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.errors import LinkError, UsageError
from leadflow.intake.answers import answer
from leadflow.links import read_answer
from leadflow.models import account, escalation, lead
from leadflow.playbook.model import Playbook
from leadflow.text import _, speaking
from leadflow.types import Answer, EscalationState
from leadflow.web.bodies import KB, raw_body
from leadflow.web.pages import language_of, small_page
from leadflow.web.state import FastLane, Opened

router = APIRouter()
_Body = Annotated[bytes, Depends(raw_body(16 * KB))]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a link stands for, and how its hand-over stands."""

    id: int
    rep: str
    said: Answer
    #: Who it is about.
    who: str
    held_by: str
    state: EscalationState
    closed: bool

    @property
    def theirs(self) -> bool:
        """Whether the answer still counts: nobody else has it, nobody has concluded it."""
        return not self.closed and self.held_by == self.rep


@router.api_route("/h/{token}", methods=["GET", "HEAD"])
def ask(request: Request, token: str, app: Opened) -> Response:
    """The page with the button; programs that open every link of a mail answer nothing."""
    asked = _asked(app, token)
    return _page(request, app, asked, form=asked.theirs)


@router.post("/h/{token}")
def give(request: Request, token: str, app: Opened, lane: FastLane, body: _Body) -> Response:
    """Take the answer; a page that says what became of it, or what is missing (422), or whose it is now (409)."""
    asked = _asked(app, token)
    if not asked.theirs:
        return _page(request, app, asked, form=False, status=409)
    try:
        with speaking_to(request, app, asked.rep), Session(app.engine) as session, session.begin():
            answer(session, app.playbook, datetime.now(UTC), asked.id, asked.said, **_told(asked.said, body))
    except UsageError as error:
        return _page(request, app, asked, form=asked.state != EscalationState.ACCEPTED, fault=str(error), status=422)
    if asked.said is Answer.ACCEPT:
        # The person learns from whoever took them who will answer, while it is news.
        lane.wake()
    return _page(request, app, asked, form=False, done=True)


def _told(said: Answer, body: bytes) -> Mapping[str, Any]:
    """The day or the reason of the form, as `answer` takes them."""
    given = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    match said:
        case Answer.LATER:
            try:
                return {"again_on": date.fromisoformat(given.get("on", ""))}
            except ValueError:
                return {"again_on": None}
        case Answer.REJECT:
            return {"reason": given.get("reason")}
        case _:
            return {}


def _asked(app: App, token: str) -> _Asked:
    try:
        escalation_id, rep, said = read_answer(app.settings.key(), token)
    except LinkError:
        raise HTTPException(404) from None
    row = _row(app.reader, escalation_id)
    if row is None or said not in {*Answer}:
        raise HTTPException(404)
    name = " ".join(filter(None, (row.first_name, row.last_name))) or f"L-{row.lead_id:04}"
    return _Asked(
        id=escalation_id,
        rep=rep,
        said=Answer(said),
        who=f"{name} — {row.company}" if row.company else name,
        held_by=row.rep,
        state=EscalationState(row.state),
        closed=row.closed_at is not None,
    )


def _row(engine: Engine, escalation_id: int) -> Row[Any] | None:
    columns = (escalation.c.rep, escalation.c.state, escalation.c.closed_at, escalation.c.lead_id)
    query = (
        select(*columns, lead.c.first_name, lead.c.last_name, account.c.name.label("company"))
        .join(lead, lead.c.id == escalation.c.lead_id)
        .outerjoin(account, account.c.id == lead.c.account_id)
        .where(escalation.c.id == escalation_id)
    )
    with Session(engine) as session:
        return session.execute(query).one_or_none()


@contextmanager
def speaking_to(request: Request, app: App, rep: str) -> Iterator[str]:
    """Speak the language of the salesperson whose link it is."""
    sales = app.playbook.sales
    spoken = next((one.languages for one in (*sales.team, sales.manager) if one.name == rep), ())
    language = language_of(request, spoken[0] if spoken else None)
    with speaking(language):
        yield language


def _page(
    request: Request, app: App, asked: _Asked, *, form: bool, done: bool = False, fault: str = "", status: int = 200
) -> Response:
    with speaking_to(request, app, asked.rep) as language:
        return small_page(
            request,
            "answer.html",
            language,
            status=status,
            title=asked.who,
            text=fault or _said(asked, form=form, done=done),
            form=form,
            field=asked.said if form else "",
            labels={
                "on": _("Come back to it on"),
                "reason": _("Why?"),
                "choose": _("Choose"),
                "meeting": _("Set a time: half an hour for your calendar"),
                "button": _button(app.playbook, asked.said, language),
            },
            tomorrow=(datetime.now(app.office).date() + timedelta(days=1)).isoformat(),
            # Whoever takes it over sets a time.
            meeting=f"{request.path_params['token']}/meeting.ics" if done and asked.said is Answer.ACCEPT else "",
            reasons=[
                (word, _reason(word)) for word in app.playbook.sales.answers.get(asked.said, {}).get("reasons", ())
            ],
        )


def _said(asked: _Asked, *, form: bool, done: bool) -> str:
    if done:
        return {
            Answer.ACCEPT: _(
                "It is yours. The clock stands still; say how it ended with leadflow handover won or lost."
            ),
            Answer.LATER: _("Noted. You will be told of it again that morning."),
        }.get(asked.said, _("Noted. They rest, and marketing goes on from there."))
    if form:
        return _("Nothing has been answered yet.")
    if asked.closed:
        return _("This hand-over is closed already.")
    return _("{who} has it by now.").format(who=asked.held_by)


def _button(playbook: Playbook, said: Answer, language: str) -> str:
    label = playbook.sales.answers.get(said, {}).get("label", {}).get(language)
    own = {Answer.ACCEPT: _("Mine"), Answer.LATER: _("Later"), Answer.REJECT: _("Not ready")}
    return str(label or own.get(said, said))


def _reason(word: str) -> str:
    """A reason as people say it; one of the workspace's own as it is written there."""
    said = {
        "no_project": _("no project"),
        "no_budget": _("no budget"),
        "too_late": _("we came too late"),
        "wrong_person": _("the wrong person"),
        "not_a_fit": _("not a customer for us"),
        "competitor": _("a competitor"),
        "unreachable": _("cannot be reached"),
    }
    return said.get(word, word.replace("_", " "))

"""`/preferences/{token}`: GET shows what a reader gets, POST writes what they choose; no account, no password."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.ask.report import numbers
from leadflow.errors import LinkError
from leadflow.intake.confirming import Asked, ask_to_confirm
from leadflow.intake.ledger import Proof
from leadflow.intake.preferences import GAPS, PAUSE, PURPOSES, Preferences, Reader, choose, preferences_of, reader_at
from leadflow.links import TEST_WORD, read_preferences, sign_unsubscribe, unsubscribe_url
from leadflow.playbook.model import Playbook, Wish
from leadflow.text import _, speaking
from leadflow.types import Purpose
from leadflow.web.bodies import KB, raw_body
from leadflow.web.look import name_of
from leadflow.web.pages import language_of, say, small_page
from leadflow.web.state import FastLane, Opened, agent_of, network_of

router = APIRouter()
_Body = Annotated[bytes, Depends(raw_body(16 * KB))]
#: What a reader may ask for here; the mail that asks whether it is them follows.
_BY_MAIL = (Wish.COPY, Wish.ERASE)


@router.api_route("/preferences/{token}", methods=["GET", "HEAD"])
def show(request: Request, token: str, app: Opened) -> Response:
    """The page; it names nobody, for a mail may have been forwarded."""
    if token == TEST_WORD:
        return say(request, "test_preferences", language_of(request, None))
    with Session(app.reader) as session:
        reader = _reader(session, app, token)
        return _page(request, app, token, reader, preferences_of(session, reader, _now()))


@router.post("/preferences/{token}")
def save(request: Request, token: str, app: Opened, body: _Body) -> Response:
    """Write what was chosen, then show it."""
    if token == TEST_WORD:
        return say(request, "test_preferences", language_of(request, None))
    now, told = _now(), parse_qs(body.decode("utf-8", "replace"))
    proof = Proof(method="preferences", page="/preferences", ip=network_of(request), user_agent=agent_of(request))
    with Session(app.engine) as session, session.begin():
        reader = _reader(session, app, token)
        had = preferences_of(session, reader, now)
        wanted = _wanted(app.playbook, had, told, now)
        choose(session, app.playbook, reader, wanted, now=now, key=app.settings.key(), proof=proof)
        said = reader_at(session, reader.identity_id) or reader
        return _page(request, app, token, said, preferences_of(session, said, now), saved=True)


@router.post("/preferences/{token}/{wish}")
def ask(request: Request, token: str, wish: str, app: Opened, lane: FastLane, _body: _Body) -> Response:
    """A copy of all that is held, or its erasure: a mail asks the owner of the address, whoever pressed the button."""
    if wish not in _BY_MAIL or Wish(wish) not in app.playbook.rights.emails:
        raise HTTPException(404)
    now = _now()
    with Session(app.engine) as session, session.begin():
        reader = _reader(session, app, token)
        asked = Asked(lead_id=reader.lead_id, identity_id=reader.identity_id, at=now)
        ask_to_confirm(session, app.playbook, [asked], Wish(wish))
    lane.wake()
    return say(request, "mail_follows", language_of(request, reader.language))


def _reader(session: Session, app: App, token: str) -> Reader:
    try:
        reader = reader_at(session, read_preferences(app.settings.key(), token))
    except LinkError:
        raise HTTPException(404) from None
    if reader is None:
        raise HTTPException(404)
    return reader


def _now() -> datetime:
    return datetime.now(UTC)


def _wanted(playbook: Playbook, had: Preferences, told: Mapping[str, list[str]], now: datetime) -> Preferences:
    """What a form says; a word that no page of ours has is left out."""
    ticked = {name: set(values) for name, values in told.items()}
    gap = next((days for days in GAPS if str(days) in ticked.get("gap", ())), 0)
    spoken = next((one for one in playbook.brand.languages if one in ticked.get("language", ())), had.language)
    # A pause that is kept ends when it would have ended.
    until = (had.paused_until or now + PAUSE) if "pause" in ticked else None
    counts = "tracking" in ticked or (not playbook.rights.watches and had.counts_clicks)
    return Preferences(
        purposes=frozenset(map(str, PURPOSES)) & frozenset(ticked.get("purpose", ())),
        declined=frozenset(playbook.rights.topics) - frozenset(ticked.get("topic", ())),
        gap_days=gap,
        paused_until=until,
        language=spoken,
        counts_clicks=counts,
    )


def _page(
    request: Request, app: App, token: str, reader: Reader, chosen: Preferences, *, saved: bool = False
) -> Response:
    language = language_of(request, reader.language)
    with speaking(language):
        words = _words(app.playbook)
        return small_page(
            request,
            "preferences.html",
            language,
            title=words["title"],
            text="",
            saved=saved,
            here=f"/preferences/{token}",
            words=words,
            purposes=_purposes(chosen),
            topics=_topics(app.playbook, chosen, language),
            gaps=[(days, words, days == chosen.gap_days) for days, words in _gaps()],
            paused=chosen.paused_until is not None,
            pause=_pause(app, chosen),
            languages=_languages(app.playbook, language),
            tracking=chosen.counts_clicks if app.playbook.rights.watches else None,
            wishes=[(str(one), words) for one, words in _wishes() if one in app.playbook.rights.emails],
            leave=_leave(app, reader),
        )


def _words(playbook: Playbook) -> Mapping[str, str]:
    counted = _("Count which links I follow, so that the next message fits better")
    if playbook.rights.dates_opens:
        counted = _("Note which links I follow, and the last day on which I opened a message")
    return {
        "title": _("What you receive from us"),
        "saved": _("Saved. It counts from the next message on."),
        "purposes": _("We may send you"),
        "topics": _("Subjects you want to read about"),
        "gap": _("How often, at most"),
        "pause": _("Pause"),
        "language": _("Language"),
        "tracking": counted,
        "measure": _("Measuring"),
        "save": _("Save"),
        "leave": _("Stop all messages"),
        "data": _("Your data"),
        "data_text": _("We send a message to your address first, to be sure that it is you."),
    }


def _purposes(chosen: Preferences) -> Sequence[tuple[str, str, bool]]:
    told = {Purpose.NURTURE: _("Reads chosen for your line of work"), Purpose.NEWSLETTER: _("Our newsletter")}
    return [(str(one), words, one in chosen.purposes) for one, words in told.items()]


def _topics(playbook: Playbook, chosen: Preferences, language: str) -> Sequence[tuple[str, str, bool]]:
    titles = playbook.rights.topics.items()
    return [(name, title.get(language, name), name not in chosen.declined) for name, title in titles]


def _gaps() -> Sequence[tuple[int, str]]:
    words = (_("As it comes"), _("One message a week"), _("One message a month"), _("One message in three months"))
    return list(zip(GAPS, words, strict=True))


def _pause(app: App, chosen: Preferences) -> str:
    if chosen.paused_until is None:
        return _("Send me nothing for 30 days")
    day = chosen.paused_until.astimezone(app.office).date()
    return _("Send me nothing before {date}").format(date=numbers.day(day, year=True))


def _languages(playbook: Playbook, language: str) -> Sequence[tuple[str, str, bool]]:
    return [(code, name_of(code), code[:2] == language) for code in playbook.brand.languages]


def _wishes() -> Sequence[tuple[Wish, str]]:
    return ((Wish.COPY, _("Send me a copy of my data")), (Wish.ERASE, _("Erase my data")))


def _leave(app: App, reader: Reader) -> Any:
    word = sign_unsubscribe(app.settings.key(), reader.identity_id, Purpose.NURTURE)
    return unsubscribe_url(app.settings.public_url, word)

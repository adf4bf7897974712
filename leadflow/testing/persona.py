"""`personas/*.yaml`: a person, what they do by day, and what they must receive."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

from leadflow.errors import Fault, PlaybookError
from leadflow.intake.person import BUILTIN_FIELDS, KEYS
from leadflow.playbook.model import Playbook
from leadflow.reading import Node, did_you_mean, read_yaml
from leadflow.testing.compare import WORDS, fault_of
from leadflow.testing.scenario import VERBS, Doing, Expectation, doing_of, fields_of, place_of
from leadflow.text import _

FOLDER = "personas"
RECEIVES, NEVER = "receives", "never_receives"
#: What may be expected at the end of a day besides mails: the scenario's words.
EXPECTED = ("stage", "lifecycle", "segment", "band", "with_sales", "standing", "tonight", "decided", "reads")
#: What a salesperson may answer, and the detail that follows it.
ANSWERS: Mapping[str, str] = {"accept": "", "reject": "reason", "won": "amount", "lost": "reason"}
_NOON = 12 * 60
NAME = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of the story: what is done at `at`, and what must be so in the evening. Times are the office's, naive."""

    number: int
    at: datetime
    doings: tuple[Doing, ...] = ()
    expect: tuple[Expectation, ...] = ()
    #: Mails that must have left since the `receives` before; None where nothing is said.
    receives: Expectation | None = None
    place: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Somebody made up, and their story."""

    name: str
    title: str
    starts: datetime
    fields: Mapping[str, str]
    days: tuple[Day, ...]
    never: Expectation | None
    place: Fault


def persona_paths(workspace: Path) -> list[Path]:
    """The files that tell of somebody, by name."""
    return sorted(path for path in (workspace / FOLDER).glob("*.yaml") if not path.name.startswith("."))


def read_persona(path: Path, playbook: Playbook) -> Persona:
    """The persona of a file; PlaybookError with all its faults, located."""
    faults: list[Fault] = []
    file = f"{FOLDER}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise PlaybookError([Fault(file=file, message=_("this is not UTF-8 text; save the file as UTF-8"))]) from None
    root = read_yaml(file, text, faults)
    persona = _persona(path.stem, root, playbook) if root is not None else None
    if persona is None or faults:
        raise PlaybookError(faults)
    return persona


def _persona(name: str, root: Node, playbook: Playbook) -> Persona:
    root.only("title", "starts", "who", "days", NEVER)
    starts = root.part("starts", needed=True).date() or date(1970, 1, 1)
    who = root.part("who", needed=True)
    _check_fields(who, playbook)
    days = tuple(_day(node, starts, playbook) for node in root.part("days", needed=True).elements())
    for earlier, later in pairwise(days):
        if later.at <= earlier.at:
            root.faults.append(fault_of(later.place, _("this day is not later than the one before it")))
    never = root.get(NEVER)
    return Persona(
        name=name,
        title=root.part("title", needed=True).text() or "",
        starts=datetime.combine(starts, time(12)),
        fields=fields_of(who),
        days=days,
        never=_mails(never, NEVER, playbook) if never else None,
        place=place_of(who),
    )


def _day(node: Node, starts: date, playbook: Playbook) -> Day:
    node.only("day", "at", "does", "sales", RECEIVES, *EXPECTED)
    number = node.part("day", needed=True).integer(at_least=1, at_most=400) or 1
    minutes = node.part("at").wall_time() if node.get("at") else _NOON
    begin = datetime.combine(starts, time(0)) + timedelta(days=number - 1)
    does = tuple(_doings(node, playbook))
    # The person becomes known at noon of the first day: they cannot act before.
    at = begin + timedelta(minutes=_NOON if minutes is None else minutes)
    if number == 1 and does and at < datetime.combine(starts, time(12)):
        node.part("at").fault(_("on day 1 the person becomes known at 12:00: write a later time"))
    received = node.get(RECEIVES)
    return Day(
        number=number,
        at=at,
        doings=does,
        expect=tuple(_expectations(node)),
        receives=_mails(received, RECEIVES, playbook) if received else None,
        place=place_of(node),
    )


def _doings(node: Node, playbook: Playbook) -> Iterator[Doing]:
    words = (*VERBS, *playbook.vocabulary.events)
    for one in node.part("does").elements() if node.get("does") else ():
        doing = doing_of(NAME, one)
        if doing.verb not in words:
            one.fault(_('"{word}" is not known here.').format(word=doing.verb) + did_you_mean(doing.verb, words))
        elif doing.verb == "changes":
            _check_fields(one.part("changes"), playbook)
        yield doing
    if said := node.get("sales"):
        yield from _answer(said)


def _answer(node: Node) -> Iterator[Doing]:
    """`accept`, `{reject: no_budget}`, `{won: 12000}`."""
    verb, value = (node.raw, None) if node.is_scalar else next(iter(node.named()), ("", None))
    if verb not in ANSWERS:
        node.fault(_('"{word}" is not known here.').format(word=verb) + did_you_mean(verb, tuple(ANSWERS)))
        return
    detail = {ANSWERS[verb]: value.raw} if value is not None and ANSWERS[verb] else {}
    if verb == "won" and not detail.get("amount", "").isdigit():
        node.fault(_("write what it is worth: {won: 12000}"))
        return
    yield Doing(who=NAME, verb=f"sales {verb}", details=detail, place=place_of(node))


def _expectations(node: Node) -> Iterator[Expectation]:
    for word in EXPECTED:
        value = node.get(word)
        if value is None:
            continue
        texts = () if value.raw == "nothing" else value.texts()
        known = WORDS[False][word]
        for text in texts:
            if not known.pattern.fullmatch(text):
                told = _('"{text}" is not how {word} is written: {example}')
                value.fault(told.format(text=text, word=word, example=known.example))
        yield Expectation(who=NAME, word=word, texts=texts, place=place_of(value))


def _mails(node: Node, word: str, playbook: Playbook) -> Expectation:
    """`nothing`, an email's name, a pattern of names, or the step that sends it: each must exist."""
    texts = () if node.raw == "nothing" else node.texts()
    for text in texts:
        _check_mail(node, text, playbook)
    return Expectation(who=NAME, word=word, texts=texts, place=place_of(node))


def _check_mail(node: Node, text: str, playbook: Playbook) -> None:
    steps = [f"{sequence.name}/{step.name}" for sequence in playbook.sequences for step in sequence.steps]
    names: Sequence[str] = steps if "/" in text else list(playbook.emails)
    if any(fnmatchcase(name, text) for name in names):
        return
    if "/" in text:
        message = _('no sequence has the step "{step}".').format(step=text)
    else:
        message = _('there is no email "{email}".').format(email=text)
    node.fault(message + did_you_mean(text, names))


def _check_fields(node: Node, playbook: Playbook) -> None:
    known = (*(name for name in BUILTIN_FIELDS if name not in KEYS), *playbook.fields)
    for key in [key for key, _value in node.items()]:
        if key.raw not in known:
            message = _('field "{field}" is not known.').format(field=key.raw)
            key.fault(message + did_you_mean(key.raw, known))

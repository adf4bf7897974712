"""The blocks of an alert: why now, who, what is known and what to ask, what they received, who else, how to reach."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import phonenumbers

from leadflow.conditions.dates import iso_words
from leadflow.conditions.tree import EventLeaf, FieldLeaf, leaves
from leadflow.conditions.words import matches_glob
from leadflow.pipeline.alert_dates import moments
from leadflow.pipeline.alert_facts import Facts
from leadflow.pipeline.alert_people import DECIDES, ROLE, Act, Colleague
from leadflow.playbook.model import Localised, Playbook
from leadflow.text import _, current_language, ngettext

_MOST_ACTS, _MOST_MAILS, _MOST_COLLEAGUES = 4, 6, 3
#: Said in the first lines already.
_SAID = frozenset({"job_title", ROLE, "employees"})
_UNKNOWN = "unknown"
#: French keeps them before its double signs.
_HARD_SPACES = "\u00a0\u202f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A heading and the lines below it."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A hand-over, the files it is about, and when it is told of, in office time."""

    facts: Facts
    playbook: Playbook
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        """The office's."""
        return ZoneInfo(self.playbook.office.zone)


def blocks_of(about: About) -> list[Block]:
    """All blocks that have something to say, in their order."""
    parts: list[tuple[str, Iterable[str]]] = [
        (_("WHY NOW"), _why(about)),
        (_("WHO"), [_person(about)]),
        (_("WHAT WE KNOW"), _known(about)),
        (_("TO ASK"), [_questions(about)]),
        (_("WHAT THEY RECEIVED"), [_received(about)]),
        (_("WHAT YOU CAN SAY"), [_opener(about)]),
        (_("AT THEIRS TOO"), _others(about)),
        (_("TELEPHONE"), [_phone(about)]),
        (_("ADDRESS"), [about.facts.row.address or ""]),
        (_("LEGAL BASIS"), [_basis(about)]),
    ]
    found = [Block(title=title, lines=tuple(filter(None, map(one_line, lines)))) for title, lines in parts]
    return [block for block in found if block.lines]


def one_line(text: str) -> str:
    """What came from outside as one line that no channel takes for markup or for a command."""
    printable = "".join(sign if sign.isprintable() or sign in _HARD_SPACES else " " for sign in text)
    return printable.replace("<", "‹").replace(">", "›").strip()


def local(texts: Localised) -> str:
    """The text in the salesperson's language, else in any."""
    return texts.get(current_language()) or next(iter(texts.values()), "")


def _why(about: About) -> Iterator[str]:
    """The acts the rule asks for, then what else they did; the rule's own fields last."""
    rule = next((rule for rule in about.playbook.sales.hot if rule.name == about.facts.row.rule), None)
    asked = list(leaves(rule.when)) if rule else []
    wanted = [leaf for leaf in asked if isinstance(leaf, EventLeaf)]
    # What they clicked is said beside the mails.
    told = [act for act in about.facts.acts if act.kind != "email_clicked"]
    acts = sorted(told, key=lambda act: not any(_meets(act, leaf) for leaf in wanted))
    yield from (_act(act, about) for act in acts[:_MOST_ACTS])
    fields = dict.fromkeys(leaf.field for leaf in asked if isinstance(leaf, FieldLeaf))
    yield from (_field(name, about) for name in fields if _given(name, about) and name not in _SAID)
    if not acts:
        yield _("no act in 30 days")


def _meets(act: Act, leaf: EventLeaf) -> bool:
    globs = [str(glob) for glob in leaf.where.get("path", ())]
    found = not globs or any(matches_glob(path, glob) for path in act.paths for glob in globs)
    return act.kind in leaf.events and found


def _act(act: Act, about: About) -> str:
    spec = about.playbook.vocabulary.events.get(act.kind)
    what = (local(spec.label) if spec else "") or act.kind.replace("_", " ")
    when = moments(act.at, about.now, about.zone)
    when += ", …" if act.times > len(act.at) else ""
    said = f"{what} ({_place(act.paths)})" if act.paths else what
    if act.times == 1:
        return _("{what}: {when}").format(what=said, when=when)
    times = ngettext("{n} time", "{n} times", act.times).format(n=act.times)
    return _("{what}, {times}: {when}").format(what=said, times=times, when=when)


def _place(paths: tuple[str, ...]) -> str:
    if len(paths) == 1:
        return paths[0]
    return "/" + paths[0].strip("/").partition("/")[0] + "/…"


def _person(about: About) -> str:
    given: Mapping[str, object] = about.facts.row.attributes
    role = {
        DECIDES: _("decides"),
        "recommends": _("advises, does not sign"),
        "uses": _("uses it, does not buy it"),
    }.get(str(given.get(ROLE)), _("role not known"))
    job = str(given.get("job_title") or "")
    if ROLE not in about.playbook.fields:
        return job
    who = _("{job}: {role}").format(job=job, role=role) if job else role
    return who if given.get(ROLE) == DECIDES else f"{who} ({_decider(about)})"


def _decider(about: About) -> str:
    names = [one.name for one in about.facts.colleagues if one.decides and one.name]
    if names:
        return _("who decides there: {names}").format(names=", ".join(names[:_MOST_COLLEAGUES]))
    company = about.facts.row.company
    return (
        _("no decision maker known at {company}").format(company=company) if company else _("no decision maker known")
    )


def _known(about: About) -> Iterator[str]:
    """The answers to the sales questions, and the open ones; then what else is known."""
    asked = _asked(about)
    if asked:
        yield " · ".join(_field(name, about) for name in asked)
    others = [name for name in about.playbook.fields if name not in asked and name not in _SAID and _given(name, about)]
    yield " · ".join(_field(name, about) for name in others)


def _asked(about: About) -> list[str]:
    asked = dict.fromkeys(criterion.ask for criterion in about.playbook.journey.criteria if criterion.ask)
    return [name for name in asked if name in about.playbook.fields and name != ROLE]


def _given(name: str, about: About) -> bool:
    value = about.facts.row.attributes.get(name)
    return name in about.playbook.fields and value is not None and value != _UNKNOWN


def _field(name: str, about: About) -> str:
    if not _given(name, about):
        return _("{field}: ?").format(field=_label(name, about))
    value = about.facts.row.attributes[name]
    said = (_("yes") if value else _("no")) if isinstance(value, bool) else str(value).replace("_", " ")
    today = about.now.astimezone(about.zone).date()
    return _("{field}: {value}").format(field=_label(name, about), value=iso_words(said, today)) + _origin(name, about)


def _label(name: str, about: About) -> str:
    return local(about.playbook.fields[name].label) or name.replace("_", " ")


def _origin(name: str, about: About) -> str:
    """Where an answer comes from, and of which day it is."""
    origin = about.facts.row.provenance.get(name) or {}
    words = {"form": _("form"), "import": _("import"), "sales": _("salesperson"), "event": _("website")}
    source = str(origin.get("source") or "")
    today = about.now.astimezone(about.zone).date()
    said = [words.get(source, source), iso_words(str(origin.get("on") or ""), today)]
    return f" ({', '.join(filter(None, said))})" if any(said) else ""


def _questions(about: About) -> str:
    """The criteria nobody has answered, by the field that answers them."""
    met = about.facts.row.criteria or 0
    open_ones = [
        criterion.ask
        for i, criterion in enumerate(about.playbook.journey.criteria)
        if criterion.ask and not met >> i & 1 and not _given(criterion.ask, about)
    ]
    names = [name for name in dict.fromkeys(open_ones) if name in about.playbook.fields]
    return "  ".join(_("{field}?").format(field=_label(name, about)) for name in names)


def _received(about: About) -> str:
    def said(name: str, clicked: bool) -> str:
        email = about.playbook.emails.get(name)
        return (local(email.subject) if email else name) + (_(" (clicked)") if clicked else "")

    mails = about.facts.received[-_MOST_MAILS:]
    silence = _("nothing more while you have them")
    return " · ".join([*(said(mail.email, mail.clicked) for mail in mails), silence])


def _opener(about: About) -> str:
    """The words of the main segment's file; nothing when it has none."""
    segment = about.playbook.segments.get(about.facts.row.segment_main or "")
    words = local(segment.opener) if segment else ""
    row = about.facts.row
    words = words.replace("{company}", row.company or _("your company"))
    words = words.replace("{first_name}", row.first_name) if row.first_name else words.replace(" {first_name}", "")
    return _("“{words}”").format(words=" ".join(words.split())) if words else ""


def _others(about: About) -> Iterator[str]:
    active = [one for one in about.facts.colleagues if one.active]
    if active:
        words = ngettext("{n} other person active this month", "{n} other people active this month", len(active))
        shown = ", ".join(_colleague(one) for one in active[:_MOST_COLLEAGUES])
        yield _("{people} ({who}): do not call them separately").format(people=words.format(n=len(active)), who=shown)


def _colleague(one: Colleague) -> str:
    return " ".join(filter(None, (one.job_title or one.name, one.band))) or "–"


def _phone(about: About) -> str:
    row = about.facts.row
    if not row.phone:
        return _("not known")
    try:
        number = phonenumbers.parse(row.phone)
    except phonenumbers.NumberParseException:
        return str(row.phone) + _origin("phone", about)
    said = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return said + _origin("phone", about)


def _basis(about: About) -> str:
    row = about.facts.row
    if not row.basis:
        return _("none: do not write")
    known = {
        "consent": _("consent"),
        "legitimate_interest": _("legitimate interest"),
        "customer": _("customer"),
    }
    today = about.now.astimezone(about.zone).date()
    informed = _(", informed on {day}").format(day=iso_words(row.informed_on, today)) if row.informed_on else ""
    return known.get(str(row.basis), str(row.basis)) + informed

"""Says a hand-over in words, in the salesperson's language: who, why now, what is known, what to ask, until when."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from leadflow.pipeline.alert_facts import Act, Facts
from leadflow.playbook.model import Localised, Playbook, Salesperson
from leadflow.text import _, current_language, ngettext, set_language

_MOST_ACTS, _MOST_MAILS = 5, 6


@contextmanager
def spoken_to(rep: Salesperson, playbook: Playbook) -> Iterator[str]:
    """Speak the salesperson's first language inside; yields it."""
    language = (rep.languages or playbook.brand.languages)[0]
    set_language(language)
    try:
        yield language
    finally:
        set_language(None)


def title_of(facts: Facts, playbook: Playbook) -> str:
    """One line: who, from where, how hot, until when."""
    words = _("{who} — {band} · answer before {due}")
    if facts.row.reminders:
        words = _("Waiting for your answer: {who} — {band} · was due {due}")
    return words.format(who=_who(facts), band=facts.row.band, due=_time(facts.row.due_at, playbook))


def body_of(facts: Facts, playbook: Playbook, language: str) -> str:
    """The whole alert of one hand-over."""
    row = facts.row
    parts = [
        (_("WHY NOW"), _why(facts, playbook, language)),
        (_("WHO"), _person(facts, playbook, language)),
        (_("WHAT WE KNOW"), _known(facts, playbook, language)),
        (_("TO ASK"), _questions(facts, playbook, language)),
        (_("WHAT THEY RECEIVED"), _received(facts, playbook)),
        (_("AT THEIRS TOO"), _colleagues(facts)),
        (_("REACH"), " · ".join(filter(None, (row.address, row.phone)))),
        (_("LEGAL BASIS"), _basis(facts)),
        (_("ANSWER"), _answers(facts)),
    ]
    lines = [f"{name}: {text}" for name, text in parts if text]
    return "\n".join(lines)


def _who(facts: Facts) -> str:
    row = facts.row
    name = " ".join(filter(None, (row.first_name, row.last_name))) or row.address or f"L-{row.lead_id:04}"
    return f"{name} — {row.company}" if row.company else str(name)


def _why(facts: Facts, playbook: Playbook, language: str) -> str:
    zone = ZoneInfo(playbook.office.zone)
    acts = [_act(act, playbook, language, zone) for act in facts.acts[:_MOST_ACTS]]
    return f"{facts.row.rule}: " + ("; ".join(acts) or _("no act in 30 days"))


def _act(act: Act, playbook: Playbook, language: str, zone: tzinfo) -> str:
    spec = playbook.vocabulary.events.get(act.kind)
    label = _in(spec.label if spec else {}, language) or act.kind.replace("_", " ")
    said = f"{label} {act.path}" if act.path else label
    times = ngettext("{n} time", "{n} times", act.times).format(n=act.times)
    return _("{what}, {times}, last {when}").format(
        what=said, times=times, when=f"{act.last.astimezone(zone):%d/%m %H:%M}"
    )


def _person(facts: Facts, playbook: Playbook, language: str) -> str:
    row = facts.row
    title = playbook.segments[row.segment_main].title if row.segment_main in playbook.segments else {}
    job = row.attributes.get("job_title")
    words = (job, _in(title, language), row.country, row.language, row.stage, row.source)
    return " · ".join(str(word) for word in words if word)


def _known(facts: Facts, playbook: Playbook, language: str) -> str:
    given: Mapping[str, object] = facts.row.attributes
    return " · ".join(
        f"{_in(spec.label, language) or name}: {given[name]}{_origin(facts, name)}"
        for name, spec in playbook.fields.items()
        if given.get(name) is not None and name != "job_title"
    )


def _origin(facts: Facts, name: str) -> str:
    origin = facts.row.provenance.get(name) or {}
    said = ", ".join(str(origin[key]) for key in ("source", "on") if origin.get(key))
    return f" ({said})" if said else ""


def _questions(facts: Facts, playbook: Playbook, language: str) -> str:
    """The criteria nobody has answered, by the field that answers them."""
    met = facts.row.criteria or 0
    asked = [
        criterion.ask
        for i, criterion in enumerate(playbook.journey.criteria)
        if criterion.ask and not met >> i & 1 and facts.row.attributes.get(criterion.ask) is None
    ]
    labels = [_in(playbook.fields[name].label, language) or name for name in asked if name in playbook.fields]
    return "  ".join(_("{field}?").format(field=label) for label in labels)


def _received(facts: Facts, playbook: Playbook) -> str:
    def said(name: str, clicked: bool) -> str:
        email = playbook.emails.get(name)
        subject = _in(email.subject, current_language()) if email else ""
        return (subject or name) + (_(" (clicked)") if clicked else "")

    mails = " · ".join(said(mail.email, mail.clicked) for mail in facts.received[-_MOST_MAILS:])
    silence = _("nothing more while you have them")
    return f"{mails} — {silence}" if mails else silence


def _colleagues(facts: Facts) -> str:
    if not facts.colleagues:
        return ""
    words = ngettext("{n} other person active this month", "{n} other people active this month", facts.colleagues)
    return words.format(n=facts.colleagues)


def _basis(facts: Facts) -> str:
    row = facts.row
    if not row.basis:
        return _("none: do not write")
    known = {
        "consent": _("consent"),
        "legitimate_interest": _("legitimate interest"),
        "customer": _("customer"),
    }
    informed = _(", informed on {day}").format(day=row.informed_on) if row.informed_on else ""
    return known.get(str(row.basis), str(row.basis)) + informed


def _answers(facts: Facts) -> str:
    words = _("leadflow handover accept {id} | later {id} | reject {id} · whole file: leadflow why L-{lead:04}")
    return words.format(id=facts.row.id, lead=facts.row.lead_id)


def _time(at: datetime, playbook: Playbook) -> str:
    return f"{at.astimezone(ZoneInfo(playbook.office.zone)):%d/%m %H:%M}"


def _in(texts: Localised, language: str) -> str:
    return texts.get(language) or next(iter(texts.values()), "")

"""Whom a preview is for: somebody of the database, somebody made up, or somebody no template should stumble over."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from leadflow.ask.person import code_of, find_lead
from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.db import make_engine, reading
from leadflow.email.catalog import Email, body_for
from leadflow.email.variants import ORIGINAL, shares_of, variant_for
from leadflow.errors import UsageError
from leadflow.pipeline.deliver_content import reader_of
from leadflow.playbook.model import Playbook
from leadflow.settings import Settings
from leadflow.text import _


class Kind(StrEnum):
    """Leads that are in no database."""

    SAMPLE = "sample"
    #: Knows an address and nothing else.
    NO_NAME = "no-name"
    #: A name and a company of 200 signs.
    LONG = "long"
    #: Writes from right to left.
    RTL = "rtl"
    EMOJI = "emoji"
    #: Values that would be markup, were they not escaped.
    MARKUP = "markup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What `facts_of` reads of a row of `claimed_readers`."""

    email: str
    language: str
    purpose: str
    address: str
    first_name: str | None = None
    last_name: str | None = None
    country: str | None = None
    company: str | None = None
    #: The person's own language, which a mail need not be in.
    reads: str | None = None
    segment_main: str | None = None
    rep: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    #: Of the email; '' for the original.
    variant: str = ""
    #: What people call them where no address may stand: a `Kind`, or a number such as L-0147.
    called: str = Kind.SAMPLE


_COLUMNS = {column.name for column in fields(Reader)} - {"email", "language", "purpose", "variant", "called"}
_NUMBER = re.compile(r"(?:L-)?([0-9]{1,18})", re.IGNORECASE)
_LONG_NAME = "Établissements Vandenbroucke-Lefebvre, Chaudronnerie, Tuyauterie et Maintenance industrielle "
_HOSTILE = "\"><script>alert(1)</script>'&<b>"


def real_lead(settings: Settings, who: str) -> int:
    """The lead of an address, or of a number such as L-0147 or 147; UsageError where nobody is known as that."""
    with _asking(settings) as session:
        return _known_as(session, who)


def _known_as(session: Session, who: str) -> int:
    number = _NUMBER.fullmatch(who.strip())
    return find_lead(session, f"L-{number[1]}" if number else who.strip().removeprefix("L-"))


def reader(
    settings: Settings, playbook: Playbook, email: Email, language: str | None, lead: str, variant: str | None = None
) -> Reader:
    """The reader called `lead` (a `Kind`, an address or a number), about to get `email` in `language`, or in theirs.

    So for `variant`: where there is none of that name, the one they would get; the original, when they are made up.
    """
    spoken = [*playbook.brand.languages, *email.bodies]
    asked = next((name for name in shares_of(email) if variant == (name or ORIGINAL)), None)
    if lead in {*Kind}:
        whose = made_up(playbook, email, _first((language, *spoken), email), Kind(lead))
        return replace(whose, variant=asked or "")
    with _asking(settings) as session:
        lead_id = _known_as(session, lead)
        row = session.execute(reader_of(lead_id)).one_or_none()
    if row is None:
        raise UsageError(_("{lead} has no address").format(lead=code_of(lead_id)))
    known: dict[str, Any] = {name: value for name, value in row._mapping.items() if name in _COLUMNS}
    theirs = body_for(email, row.reads or "", playbook.brand.languages)
    in_language = _first((language, theirs, *spoken), email)
    told: dict[str, Any] = {
        "email": email.name,
        "language": in_language,
        "purpose": email.purpose,
        "variant": variant_for(email, row.seed) if asked is None else asked,
        "called": code_of(lead_id),
    }
    return Reader(**told, **known)


def _first(wanted: Iterable[str | None], email: Email) -> str:
    """The first language of `wanted` that `email` is written in."""
    return next((one for one in wanted if one and one in email.bodies and one in email.subject), "")


def made_up(playbook: Playbook, email: Email, language: str, kind: Kind) -> Reader:
    """A reader of no database; the same whenever it is asked for."""
    sample = replace(_sample(playbook, email, language), called=kind)
    text = [name for name, spec in playbook.fields.items() if spec.type is FieldType.TEXT]
    match kind:
        case Kind.SAMPLE:
            return sample
        case Kind.NO_NAME:
            return Reader(
                email=email.name, language=language, purpose=email.purpose, address=sample.address, called=kind
            )
        case Kind.LONG:
            company = (_LONG_NAME * 3)[:200]
            return replace(sample, first_name="Marie-Antoinette-Joséphine", last_name=_LONG_NAME, company=company)
        case Kind.RTL:
            return replace(sample, first_name="ליאור", last_name="بن علي", company="شركة النور للتجارة")
        case Kind.EMOJI:
            return replace(sample, first_name="Zoë 🦊", last_name="👩🏽‍💻", company="🚀 Growth & Co 🇫🇷")
        case Kind.MARKUP:
            attributes = dict(sample.attributes) | dict.fromkeys(text, _HOSTILE)
            return replace(
                sample, first_name="O'Brien & <b>", last_name="X\r\nBcc: x", company=_HOSTILE, attributes=attributes
            )


#: Language → who they are; any other language gets the English one.
_PEOPLE: Mapping[str, Mapping[str, str]] = {
    "fr": {"first_name": "Claire", "last_name": "Morel", "company": "Vannes de la Loire", "country": "FR"},
    "en": {"first_name": "Aoife", "last_name": "Byrne", "company": "Kilbride Linen", "country": "IE"},
}


def _sample(playbook: Playbook, email: Email, language: str) -> Reader:
    """Somebody like those `email` is for: what the example of its first segment says, everything else filled in."""
    names = email.audience.segments or playbook.segment_order
    segment = playbook.segments.get(names[0]) if names else None
    examples = segment.examples if segment else ()
    example = next((given for matches, given in examples if matches), {})
    answers = {name: _value(spec, language) for name, spec in playbook.fields.items()}
    answers |= {name: example[name] for name in playbook.fields if example.get(name) is not None}
    person = _PEOPLE.get(language, _PEOPLE["en"])
    return Reader(
        email=email.name,
        language=language,
        purpose=email.purpose,
        address="preview@example.invalid",
        first_name=person["first_name"],
        last_name=person["last_name"],
        company=person["company"],
        country=str(example.get("country") or person["country"]),
        reads=language,
        segment_main=segment.name if segment else None,
        rep=next((one.name for one in playbook.sales.team), None) if email.sender == "owner" else None,
        attributes=answers,
    )


def _value(spec: FieldSpec, language: str) -> object:
    match spec.type:
        case FieldType.INTEGER:
            return 62
        case FieldType.NUMBER:
            return 4.5
        case FieldType.BOOLEAN:
            return True
        case FieldType.DATE:
            return "2030-06-30"
        case FieldType.CHOICE:
            return spec.choices[0] if spec.choices else None
        case FieldType.TEXT:
            return spec.label.get(language) or spec.name.replace("_", " ")


@contextmanager
def _asking(settings: Settings) -> Iterator[Session]:
    """A session that nobody writes with; UsageError where there is no database, or none that can be read."""
    if not settings.database_url and not (settings.var / "leadflow.db").exists():
        raise UsageError(_("this workspace has no database yet: choose a sample"))
    engine = make_engine(settings.url)
    try:
        with Session(reading(engine)) as session:
            yield session
    except SQLAlchemyError:
        raise UsageError(_("the database could not be asked, or is older than this leadflow")) from None
    finally:
        engine.dispose()

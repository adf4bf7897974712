"""Reads what was filled in: each answer typed or a word on what is wrong with it, and the act that capture reads."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadflow.app import App
from leadflow.conditions.vocabulary import FieldType
from leadflow.errors import LeadflowError
from leadflow.intake.addresses import read_address
from leadflow.intake.fields import LONGEST_TEXT, FieldError, clean_text, read_value
from leadflow.intake.phones import read_phone
from leadflow.playbook.model import Form, Question, Wording
from leadflow.text import _
from leadflow.web.asking import Asked
from leadflow.web.form_body import Posted

#: Filled in by programs alone: people do not see it.
TRAP = "subject_line"
#: Where a visitor came from, as the address of the page says.
SOURCES = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "referrer")
_VISITOR = re.compile(r"[\w.-]{8,100}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a visitor filled in."""

    #: Field → the text, cleaned.
    said: Mapping[str, str]
    agreed: tuple[str, ...]
    #: Field or `consent.<purpose>` → what is wrong, in the visitor's language.
    faults: Mapping[str, str]


def read_answers(app: App, asked: Asked, posted: Posted) -> Answers:
    """The answers to what was asked."""
    said: dict[str, str] = {}
    faults: dict[str, str] = {}
    for question in asked.questions:
        try:
            if text := clean_text(posted.get(question.name, "")):
                said[question.name] = _checked(question, text, app.playbook.office.country)
            elif question.needed:
                faults[question.name] = _("Please fill this in.")
        except LeadflowError as error:
            faults[question.name] = _wrong(question, error)
    agreed = tuple(one.purpose for one in asked.consents if posted.get(f"consent.{one.purpose}"))
    for one in asked.consents:
        if one.needed and one.purpose not in agreed:
            faults[f"consent.{one.purpose}"] = _("Please tick this box: without it we may not write to you.")
    return Answers(said=said, agreed=agreed, faults=faults)


def _checked(question: Question, text: str, country: str) -> str:
    """`text` as capture will take it; FieldError or AddressError when it does not fit."""
    match question.name:
        case "email":
            return read_address(text).value
        case "phone":
            return read_phone(text, country)
        case _:
            pass
    if question.spec is not None and not question.spec.builtin:
        read_value(question.spec, text)
    if len(text) > LONGEST_TEXT:
        raise FieldError
    return text


def _wrong(question: Question, error: LeadflowError) -> str:
    match question.name, question.type:
        case "email", _type:
            return _("Please check the address: {problem}. It looks like name@example.com.").format(problem=error)
        case "phone", _type:
            return _("Please write the number with its country, such as +33 1 23 45 67 89.")
        case _name, FieldType.INTEGER | FieldType.NUMBER:
            return _("Please write a number, such as 12.")
        case _name, FieldType.DATE:
            return _("Please write a date, such as 2026-12-31.")
        case _name, FieldType.CHOICE | FieldType.BOOLEAN:
            return _("Please choose one of the list.")
        case _:
            return _("This is too long: {n} characters at most.").format(n=LONGEST_TEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Where, when and by what a form was sent."""

    language: str
    #: Stays the same when the same form is sent twice.
    id: str
    page: str
    network: str | None
    agent: str | None


def act_of(app: App, form: Form, asked: Asked, answers: Answers, posted: Posted, sent: Circumstances) -> bytes:
    """The act as `intake` keeps it."""
    fields = dict(answers.said)
    address = fields.pop("email", asked.reader.address if asked.reader else "")
    act: dict[str, Any] = {
        "id": hashlib.sha256(f"{sent.id}|{address}".encode()).hexdigest(),
        "event": form.event,
        "form": form.name,
        "email": address,
        "language": sent.language,
        "fields": fields,
        "properties": dict(form.details),
        "page": sent.page,
        "ip": sent.network,
        "user_agent": sent.agent,
    }
    if answers.agreed:
        # A box left empty takes nothing back: what was agreed to before stays until it is withdrawn.
        act["consent"] = dict.fromkeys(answers.agreed, True)
        act["wording_hash"] = wording_hash(form, form.consents, sent.language)
        act["wording_version"] = f"{form.name}.{sent.language}@{app.playbook.short}"
        if form.double_opt_in:
            act["double_opt_in"] = True
    if _VISITOR.fullmatch(posted.get("visitor", "")):
        act["visitor"] = posted["visitor"]
    if source := {name: text for name in SOURCES if (text := clean_text(posted.get(name, ""))[:200])}:
        act["source_of"] = source
    return json.dumps(act, ensure_ascii=False).encode()


def wording_hash(form: Form, consents: tuple[Wording, ...], language: str) -> str:
    """The fingerprint of all that was said where people ticked: notice and wordings in their language."""
    said = [language, form.notice.get(language, ""), [[one.purpose, one.text.get(language, "")] for one in consents]]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()

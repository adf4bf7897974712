"""`config/forms/<name>.yaml`: what a form asks, what people agree to, which act it tells of."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.playbook.files import Files
from leadflow.playbook.known import Known, place_of
from leadflow.playbook.model import Form, Question, Thanks, Wording
from leadflow.playbook.vocabulary import CONSENT_PURPOSES, OPENED
from leadflow.reading import Node, did_you_mean
from leadflow.text import _

FOLDER = "config/forms"
#: Built-in fields that people can be asked for.
ASKED = ("email", "first_name", "last_name", "company", "phone")
_EMAIL = FieldSpec(name="email", type=FieldType.TEXT, label={"en": "Email address", "fr": "Adresse e-mail"})
#: Acts that only the engine, a mailbox or the CRM can tell of.
_NOT_BY_FORM = frozenset({OPENED, "email_clicked", "email_replied", "deal_won", "deal_lost", "page_viewed"})
_KEYS = (
    *("title", "intro", "button", "event", "details", "fields"),
    *("consent", "notice", "double_opt_in", "thanks", "download"),
)


def form_of(name: str, root: Node, known: Known, files: Files) -> Form:
    """The form of one file; faults noted on the way."""
    root.only(*_KEYS)
    event = root.part("event").choice([word for word in known.vocabulary.events if word not in _NOT_BY_FORM])
    consents = tuple(_wording(element, known) for element in root.part("consent").elements())
    twice = root.part("double_opt_in").boolean() or False
    if twice and not consents:
        root.key("double_opt_in").fault(_("there is nothing to confirm: the form asks for no consent"))
    questions, ask_next = _questions(root, known)
    return Form(
        name=name,
        title=_said(root, "title", known, needed=True),
        intro=_said(root, "intro", known),
        button=_said(root, "button", known, needed=True),
        event=event or "form_submitted",
        details=_details(root.part("details"), event or "form_submitted", known),
        questions=questions,
        ask_next=ask_next,
        consents=consents,
        notice=_said(root, "notice", known, needed=True),
        double_opt_in=twice,
        thanks=_thanks(root.part("thanks", needed=True), known),
        download=_download(root, known, files),
        place=place_of(root),
    )


def check_confirmed(confirmations: Node, roots: Mapping[str, Node], forms: Mapping[str, Form]) -> None:
    """Whoever fills in a form with double opt-in waits for a mail: one must be named."""
    if not confirmations.part("consent").absent:
        return
    told = _("nobody is asked to confirm: name an email under confirmations, consent: confirm-your-address")
    for form in forms.values():
        if form.double_opt_in:
            roots[form.name].key("double_opt_in").fault(told)


def _said(node: Node, key: str, known: Known, *, needed: bool = False) -> Mapping[str, str]:
    """The texts of a key, in each language where there are any."""
    part = node.part(key, needed=needed)
    texts = part.localised(known.languages)
    for language in known.languages if texts else ():
        if not texts.get(language):
            part.fault(_("{name} is missing in {language}").format(name=key, language=language))
    return texts


def _questions(root: Node, known: Known) -> tuple[tuple[Question, ...], int | None]:
    node = root.part("fields", needed=True)
    questions: list[Question] = []
    ask_next: int | None = None
    for element in node.elements():
        if element.is_mapping and element.get("ask_next") is not None:
            element.only("ask_next")
            element.part("ask_next").choice(["qualification"])
            if ask_next is not None:
                element.fault(_("ask_next stands here twice: one question more is what people answer"))
            ask_next = len(questions)
        elif (question := _question(element, known)) is not None:
            if any(one.name == question.name for one in questions):
                element.fault(_("{field} is asked twice").format(field=question.name))
            questions.append(question)
    if not node.absent and not any(question.name == "email" for question in questions):
        node.fault(_("email is missing: without an address nobody knows who filled the form in"))
    return tuple(questions), ask_next


def _question(element: Node, known: Known) -> Question | None:
    """`- company`, or `- {field: company, needed: true, label: …, hint: …, lines: 4}`."""
    if element.is_mapping:
        element.only("field", "needed", "label", "hint", "lines")
    word = element.part("field", needed=True) if element.is_mapping else element
    name = word.text()
    if name is None:
        return None
    declared = [spec.name for spec in known.vocabulary.fields.values() if not spec.builtin]
    if name not in (*ASKED, *declared):
        word.fault(_('"{field}" cannot be asked for.').format(field=name) + did_you_mean(name, (*ASKED, *declared)))
        return None
    spec = _EMAIL if name == "email" else known.vocabulary.fields[name]
    part = element if element.is_mapping else Node(element.file, element.line, element.column, element.faults)
    lines = part.part("lines").integer(at_least=1, at_most=20)
    own = _said(part, "label", known)
    if lines is not None and spec.type is not FieldType.TEXT:
        part.key("lines").fault(_("only a text has lines"))
    made = question_of(spec, known.languages, needed=part.part("needed").boolean() or name == "email", own=own)
    for language in known.languages:
        if not made.label.get(language):
            word.fault(_("{name} is missing in {language}").format(name=f"{name}: label", language=language))
    return Question(
        name=name,
        type=spec.type,
        label=made.label,
        hint=_said(part, "hint", known),
        options=made.options,
        needed=made.needed,
        lines=lines or 1,
        spec=made.spec,
    )


def question_of(
    spec: FieldSpec, languages: tuple[str, ...], *, needed: bool = False, own: Mapping[str, str] | None = None
) -> Question:
    """How a field is asked for in its own words."""
    label = own or {language: _words(spec.question, language) or _words(spec.label, language) for language in languages}
    options = {
        choice: {language: _words(spec.words.get(choice, {}), language) or _plain(choice) for language in languages}
        for choice in spec.choices
    }
    return Question(name=spec.name, type=spec.type, label=label, options=options, needed=needed, spec=spec)


def _words(texts: Mapping[str, str], language: str) -> str:
    general = language.partition("-")[0]
    return texts.get(language) or texts.get(general) or texts.get("") or ""


def _plain(choice: str) -> str:
    return choice.replace("_", " ")


def _wording(element: Node, known: Known) -> Wording:
    """`- {purpose: newsletter, wording: {fr: …, en: …}, needed: true}`."""
    element.only("purpose", "wording", "needed")
    return Wording(
        purpose=element.part("purpose", needed=True).choice(CONSENT_PURPOSES) or "",
        text=_said(element, "wording", known, needed=True),
        needed=element.part("needed").boolean() or False,
    )


def _thanks(node: Node, known: Known) -> Thanks:
    """`thanks: {title: …, text: …}`, or `thanks: {page: …}` for a page of the site."""
    node.only("title", "text", "page")
    to_page = not node.part("page").absent
    return Thanks(
        title=_said(node, "title", known, needed=not to_page),
        text=_said(node, "text", known, needed=not to_page),
        page=_said(node, "page", known),
    )


def _details(node: Node, event: str, known: Known) -> Mapping[str, str]:
    """What the act says besides, in the words its event declares."""
    allowed = (*(word for word in known.vocabulary.events[event].properties if word != "form"), "path")
    found = {}
    for key, value in node.items():
        if key.raw not in allowed:
            told = _('"{name}" is no detail of {event}.').format(name=key.raw, event=event)
            key.fault(told + did_you_mean(key.raw, allowed))
        elif (text := value.text()) is not None:
            found[key.raw] = text
    return found


def _download(root: Node, known: Known, files: Files) -> Mapping[str, str]:
    """`download: {fr: downloads/guide.fr.pdf, …}`: files of the folder `downloads`, which are not read here."""
    texts = _said(root, "download", known)
    for language, path in texts.items():
        part = root.part("download")
        spot = part.part(language) if part.is_mapping else part
        place = PurePosixPath(path)
        if place.is_absolute() or ".." in place.parts or place.parts[:1] != ("downloads",) or "\\" in path:
            spot.fault(_("name a file of the folder downloads, such as downloads/guide.fr.pdf"))
        elif not (files.workspace / path).is_file():
            # What stood there when an old version was read is not kept: a past day must still be read.
            spot.fault(_("{path} does not exist: nobody can fetch it").format(path=path), warning=True)
    return texts

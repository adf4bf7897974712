"""A form, and the thanks for it, as HTML in the language of whoever reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request

from leadflow.app import App
from leadflow.email.markdown import markdown_to_html
from leadflow.email.protect import Vault
from leadflow.playbook.model import Form
from leadflow.text import _, speaking
from leadflow.web.asking import Asked
from leadflow.web.form_answers import SOURCES, TRAP
from leadflow.web.look import frame_of, frame_words
from leadflow.web.pages import template

#: How a browser asks for a field, and what it knows of its owner.
_KINDS = {"email": "email", "phone": "tel", "date": "date", "integer": "text", "number": "text"}
_FILLS = {
    "email": "email",
    "first_name": "given-name",
    "last_name": "family-name",
    "company": "organization",
    "phone": "tel",
    "job_title": "organization-title",
}


class Texts(dict[str, str]):
    """Text by name, '' for a name that is not there."""

    def __missing__(self, _name: str) -> str:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A form as it is shown once: to whom, with what they have written and what is wrong with it."""

    form: Form
    asked: Asked
    language: str
    #: The word that says when it was shown.
    stamp: str
    values: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    #: What is wrong with the whole.
    message: str = ""
    embed: bool = False
    #: The page it stands on, for the proof of a consent.
    page: str = ""


def prefix_of(app: App) -> str:
    """What stands before every path of ours, where the public door is a folder of a site."""
    return urlsplit(app.settings.public_url).path.rstrip("/")


def language_for(request: Request, app: App, *preferred: str | None) -> str:
    """The first language that is asked for and that the brand writes: as told, then the browser's, then the brand's."""
    written = app.playbook.brand.languages
    told = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    for word in (*preferred, *told):
        for language in written:
            if word and language.lower() in (word.lower(), word.lower().partition("-")[0]):
                return language
    return written[0]


def form_html(app: App, shown: Shown) -> str:
    """The page of a form."""
    with speaking(shown.language):
        url = f"{prefix_of(app)}/f/{shown.form.name}"
        kept = {"who": shown.asked.reader.word} if shown.asked.reader else {}
        return template("form.html").render(
            **frame_of(
                app.playbook.brand, shown.language, shown.form.title[shown.language], url, keep=kept, embed=shown.embed
            ),
            **form_words(app, shown, stranger=f"{url}?lang={shown.language}"),
        )


def form_words(app: App, shown: Shown, *, stranger: str) -> dict[str, Any]:
    """What the fields of a form need to be drawn, on its own page or below another."""
    form, language, asked = shown.form, shown.language, shown.asked
    labels = {one.name: one.label.get(language, "") for one in asked.questions}
    carried = {
        **{name: shown.values.get(name, "") for name in (*SOURCES, "visitor")},
        "lang": language,
        "_at": shown.stamp,
        "_page": shown.page,
        "_embed": "1" if shown.embed else "",
        "_who": asked.reader.word if asked.reader else "",
    }
    return {
        "form": form,
        "asked_of": asked,
        "intro": prose(form.intro.get(language, "")),
        "notice": prose(form.notice.get(language, "")),
        "action": f"{prefix_of(app)}/forms/{form.name}",
        "values": Texts(shown.values),
        "faults": Texts(shown.faults),
        "labels": Texts(labels | {name: _("Your agreement") for name in shown.faults if name not in labels}),
        "message": shown.message,
        "carried": carried,
        "stranger": stranger,
        "kinds": Texts(_KINDS),
        "fills": Texts(_FILLS),
        "trap": TRAP,
        "words": {
            **frame_words(),
            "check": _("Some answers need another look:"),
            "optional": _("(optional)"),
            "choose": _("Choose"),
            "yes": _("Yes"),
            "no": _("No"),
            "trap": _("Leave this empty"),
            "known": _("We know you as {address}.").format(address=asked.reader.masked) if asked.reader else "",
            "not_you": _("Not you?"),
        },
    }


def thanks_html(app: App, form: Form, language: str, behind: list[tuple[str, str]], *, embed: bool) -> str:
    """What stands after the form, with what it opens."""
    with speaking(language):
        title = form.thanks.title.get(language) or _("Thank you")
        return template("thanks.html").render(
            **frame_of(app.playbook.brand, language, title, embed=embed),
            faults=Texts(),
            text=prose(form.thanks.text.get(language, "")),
            behind=behind,
            words=frame_words(),
        )


@lru_cache(maxsize=256)
def prose(text: str) -> str:
    """Markdown of the playbook as HTML."""
    return markdown_to_html(text, Vault()) if text else ""

"""The page of `leadflow preview`: what can be chosen, in words, and what its address says was chosen."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from urllib.parse import urlencode

from leadflow.app.preview import Preview, Reading
from leadflow.app.preview_readers import Kind
from leadflow.email.catalog import Email
from leadflow.email.variants import ORIGINAL, shares_of
from leadflow.errors import Severity
from leadflow.playbook.model import Playbook
from leadflow.text import LANGUAGES, _, decimal
from leadflow.web.pages import template

_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
_LIGHT = re.compile(r"\(\s*prefers-color-scheme\s*:\s*light\s*\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What somebody looks at; its address can be given to a colleague."""

    email: str = ""
    lead: str = Kind.SAMPLE
    #: Of the mail; empty: the reader's.
    language: str = ""
    #: Of the email; empty: the one the reader would get.
    variant: str = ""
    #: html, text or source.
    part: str = "html"
    #: desktop or phone.
    width: str = "desktop"
    #: light or dark.
    light: str = "light"
    #: on or off.
    images: str = "on"
    #: Of the page.
    ui: str = "en"

    def url(self, path: str = "/", **changes: str) -> str:
        """Where this is seen, or that with `changes`; what is as usual is left out."""
        plain = asdict(Choice())
        told = {name: value for name, value in asdict(replace(self, **changes)).items() if value != plain[name]}
        return f"{path}?{urlencode(told | {'ui': changes.get('ui', self.ui)})}"


def page_of(reading: Reading, choice: Choice, last: Playbook | None, shown: Preview | None, wrong: str) -> str:
    """The page for `choice`; `last` is the newest playbook without errors, `wrong` why there is nothing to show."""
    errors = [] if reading.playbook else [fault for fault in reading.faults if fault.severity is Severity.ERROR]
    email = last.emails.get(choice.email) if last else None
    rendered = shown.rendered if shown else None
    dark = choice.light == "dark" and choice.part == "html" and rendered is not None
    return template("preview.html").render(
        choice=_settled(choice, email, shown),
        title=(rendered.subject if rendered else "") or "leadflow preview",
        print=hash(reading.print),
        emails=[(name, f"{name} — {one.title}") for name, one in sorted(last.emails.items())] if last else (),
        leads=_leads(choice.lead),
        languages=_languages(last, email) if last and email else (),
        variants=_variants(email) if email and email.variants else (),
        views=_views(),
        speaks=[(code, {"en": "English", "fr": "Français"}[code]) for code in LANGUAGES],
        faults=errors,
        shown=shown,
        wrong=wrong,
        facts=_facts(shown) if shown else (),
        inverted=dark and rendered is not None and not _DARK.search(rendered.html),
        words=_words(),
    )


def in_the_dark(html: str) -> str:
    """`html` as a program that is set dark shows it: a frame cannot be told so, so its rules for the dark just hold."""
    return _LIGHT.sub("(max-width: 0px)", _DARK.sub("(min-width: 0px)", html))


def _languages(playbook: Playbook, email: Email) -> list[tuple[str, str]]:
    ordered = dict.fromkeys((*playbook.brand.languages, *email.bodies))
    return [(one, one) for one in ordered if one in email.bodies]


def _settled(choice: Choice, email: Email | None, shown: Preview | None) -> Choice:
    """`choice` with what is shown where nothing was chosen."""
    if email is None or shown is None:
        return choice
    variant = (shown.reader.variant or ORIGINAL) if email.variants else ""
    return replace(choice, language=choice.language or shown.reader.language, variant=variant)


def _variants(email: Email) -> list[tuple[str, str]]:
    return [(name or ORIGINAL, f"{name or _('original')} {share} %") for name, share in shares_of(email).items()]


def _leads(chosen: str) -> list[tuple[str, str]]:
    made_up = [(str(kind), words) for kind, words in kind_words().items()]
    return made_up if chosen in {*Kind} else [*made_up, (chosen, chosen)]


def kind_words() -> Mapping[Kind, str]:
    """What each kind of made-up lead is called."""
    return {
        Kind.SAMPLE: _("a made-up reader"),
        Kind.NO_NAME: _("no name, no company"),
        Kind.LONG: _("a company of 200 signs"),
        Kind.RTL: _("from right to left"),
        Kind.EMOJI: _("emoji"),
        Kind.MARKUP: "O'Brien & <b>",
    }


def _views() -> list[tuple[str, str, list[tuple[str, str]]]]:
    return [
        ("part", _("Show"), [("html", _("mail")), ("text", _("text")), ("source", _("source"))]),
        ("width", _("Width"), [("desktop", _("desktop")), ("phone", _("phone"))]),
        ("light", _("Colours"), [("light", _("light")), ("dark", _("dark"))]),
        ("images", _("Images"), [("on", _("on")), ("off", _("off"))]),
    ]


def _facts(shown: Preview) -> list[str]:
    """The lines above a mail."""
    sender, whose = shown.sender, shown.reader
    name = " ".join(filter(None, (whose.first_name, whose.last_name)))
    told = [
        _("from {name} <{address}>").format(name=sender.name, address=sender.address),
        _("to {name}").format(name=name or whose.called),
        _("reply to {address}").format(address=sender.reply_to),
    ]
    if shown.rendered is not None:
        told.append(_("{kb} kB").format(kb=decimal(len(shown.rendered.html.encode()) / 1000)))
        told.append(_("subject of {n} signs").format(n=len(shown.rendered.subject)))
    return [*told, _("version {version}").format(version=shown.email.version[:6])]


def _words() -> Mapping[str, str]:
    return {
        "email": _("Email"),
        "lead": _("Seen by"),
        "who": _("… or by somebody of the database"),
        "who_example": _("address or L-0147, then Enter"),
        "language": _("Language"),
        "variant": _("Variant"),
        "show": _("Show"),
        "broken": _("The files have errors: nothing can be shown, and nothing would be sent"),
        "inverted": _("This mail has no dark colours of its own: mail programs make some up, about like this."),
        "mail": _("The mail"),
        "check": _("What leadflow check says"),
        "fine": _("Nothing: it is in order."),
        "links": _("Links"),
        "straight": _(
            "In the mail that is sent, pages are counted and the unsubscribe link is the reader’s own; "
            "nothing else differs."
        ),
        "gone": _("leadflow preview has ended: start it again."),
    }

"""What visitors fill in and read: forms with their questions and consents, and pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.types import NOWHERE, Place

#: Language → text.
_Localised = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One field of a form, as it is asked."""

    #: Of the field.
    name: str
    type: FieldType
    label: _Localised
    hint: _Localised = field(default_factory=dict)
    #: Choice → its words, in the order of the list.
    options: Mapping[str, _Localised] = field(default_factory=dict)
    needed: bool = False
    #: Of the box for a longer text; one line otherwise.
    lines: int = 1
    spec: FieldSpec | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What people agree to when they tick the box of a purpose."""

    purpose: str
    text: _Localised
    #: The form is of no use without it, as that of a newsletter.
    needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Thanks:
    """What stands after a form that was filled in; `page`: where on the site people go instead."""

    title: _Localised
    text: _Localised
    page: _Localised = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """`config/forms/<name>.yaml`."""

    name: str
    title: _Localised
    intro: _Localised = field(default_factory=dict)
    button: _Localised = field(default_factory=dict)
    #: The act it tells of, and its details.
    event: str = "form_submitted"
    details: Mapping[str, str] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    #: Where among the questions the next unanswered one asks itself; None: nowhere.
    ask_next: int | None = None
    consents: tuple[Wording, ...] = ()
    #: What becomes of the data, as the law asks to be told where they are given.
    notice: _Localised = field(default_factory=dict)
    double_opt_in: bool = False
    thanks: Thanks
    #: Language → file of the workspace that whoever filled it in may fetch.
    download: _Localised = field(default_factory=dict)
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """One page in one language: `pages/<name>.<language>.md`."""

    title: str
    description: str
    #: HTML, filled in already: nobody is known on a page, so it is the same for everybody.
    html: str
    image: str = ""
    #: An article of schema.org, or a page.
    kind: str = "WebPage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page in its languages."""

    name: str
    texts: Mapping[str, PageText]
    #: The form that stands below the text.
    form: str = ""
    #: The form that must be filled in before one reads it.
    behind: str = ""
    #: Whether search engines are told of it.
    listed: bool = True
    place: Place = field(default=NOWHERE, compare=False)

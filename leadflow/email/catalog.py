"""One email as marketers wrote it: whom it is for, what it needs, its bodies by language."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from leadflow.types import DAY, NOWHERE, Place, Purpose, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class For:
    """Whom an email is for: keys are AND, values OR, an empty tuple anybody."""

    stage: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    fit: tuple[str, ...] = ()
    engagement: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    #: A condition, unread here: its language is no business of the catalogue. `Playbook.email_when` gives it back.
    when: object | None = None

    @property
    def specificity(self) -> int:
        """1000 × keys given − values listed (semantics 2.7): narrower wins, never by audience size."""
        lists = [x for x in (self.stage, self.segments, self.fit, self.engagement, self.languages) if x]
        return 1000 * (len(lists) + (self.when is not None)) - sum(map(len, lists))


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Another text of an email, for a share of its readers; what it does not say is as in the original."""

    name: str
    #: Percent of those who get the email.
    share: int
    subject: Mapping[str, str] = field(default_factory=dict)
    preheader: Mapping[str, str] = field(default_factory=dict)
    bodies: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def changes(self, language: str) -> bool:
        """Whether who reads `language` sees anything of it."""
        return any(language in one for one in (self.subject, self.preheader, self.bodies, self.texts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """One folder of templates/emails."""

    name: str
    title: str = ""
    purpose: Purpose = Purpose.NURTURE
    #: One of the playbook's topics, which readers may decline.
    topic: str | None = None
    #: `named` emails are sent only by steps that name them.
    pick: str = "best"
    audience: For = field(default_factory=For)
    rank: int = 50
    #: Microseconds.
    again_after: int = 365 * DAY
    #: brand or owner.
    sender: str = "brand"
    subject: Mapping[str, str]
    preheader: Mapping[str, str] = field(default_factory=dict)
    #: Dotted name → language → text used when the value is missing.
    defaults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    expires: Span | None = None
    freeze: bool = False
    #: The name it had before; who got it under that name has got it.
    was: str | None = None
    #: Language → source of the body, and its kind: md, html or mjml.
    bodies: Mapping[str, str]
    kinds: Mapping[str, str]
    #: Language → source of a hand-written text part, where there is one.
    texts: Mapping[str, str] = field(default_factory=dict)
    variants: tuple[Variant, ...] = ()
    #: Of which variant this is the text; '' for the original.
    variant: str = ""
    #: What it has a file of its own for: a language, or `fr.txt`.
    own: frozenset[str] = frozenset()
    #: Language → dotted names without a default that the body, subject and preheader use, of any variant.
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Content hash of the folder and of _base.
    version: str = ""
    place: Place = field(default=NOWHERE, compare=False)

    def as_variant(self, name: str) -> "Email":
        """The email with the text of the variant called `name`; the original where there is none."""
        found = next((one for one in self.variants if one.name == name), None)
        if found is None:
            return self
        # A text part is that of its body: who writes another body is not sent the old words.
        texts = {language: text for language, text in self.texts.items() if language not in found.bodies}
        return replace(
            self,
            subject={**self.subject, **found.subject},
            preheader={**self.preheader, **found.preheader},
            bodies={**self.bodies, **found.bodies},
            kinds={**self.kinds, **found.kinds},
            texts={**texts, **found.texts},
            variants=(),
            variant=name,
            own=frozenset({*found.bodies, *(f"{language}.txt" for language in found.texts)}),
        )

    @property
    def drafts(self) -> "tuple[Email, ...]":
        """The original, then each variant."""
        return (self, *(self.as_variant(one.name) for one in self.variants))

    def body_file(self, language: str) -> str:
        """The file its body in `language` stands in, or would."""
        stem = f"body.{self.variant}" if language in self.own else "body"
        return f"{stem}.{language}.{self.kinds.get(language, 'md')}"

    def text_file(self, language: str) -> str:
        """The same of a hand-written text part."""
        stem = f"body.{self.variant}" if f"{language}.txt" in self.own else "body"
        return f"{stem}.{language}.txt"


def body_for(email: Email, tag: str, languages: tuple[str, ...]) -> str | None:
    """The body a reader of `tag` gets: `fr-be`, else `fr`, else the brand's first language; None for no body.

    Nobody gets a mail in another language than theirs when the brand writes in theirs.
    """
    # A brand writes fr-BE, people are kept as fr-be.
    spelt = {language.lower(): language for language in (*languages, *email.bodies)}
    own = [spelt.get(part, part) for part in (tag, tag.partition("-")[0])] if tag else []
    spoken = [language for language in own if language in email.bodies or language in languages]
    for language in spoken or languages[:1]:
        if language in email.bodies:
            wanted = email.audience.languages
            return language if not wanted or {language, *own} & set(wanted) else None
    return None

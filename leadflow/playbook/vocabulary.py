"""The built-in words of conditions, each with its type, when it is known, and what people call it."""

from collections.abc import Iterable, Mapping

from leadflow.conditions.vocabulary import EventSpec, FieldSpec, FieldType, Level, Vocabulary
from leadflow.types import Audience, Basis, Lifecycle

CONSENT_PURPOSES = ("nurture", "newsletter", "open_tracking", "click_tracking", "profiling")
FIT_BANDS = ("A", "B", "C", "D")
ENGAGEMENT_BANDS = ("1", "2", "3", "4")
#: Opens are refused wherever an act may be named: machines open mails too, and people have not agreed to be watched.
OPENED = "email_opened"

#: Name, type, level, English and French label.
_Row = tuple[str, FieldType, Level, str, str]
_FIELDS: tuple[_Row, ...] = (
    ("first_name", FieldType.TEXT, Level.GIVEN, "First name", "Prénom"),
    ("last_name", FieldType.TEXT, Level.GIVEN, "Last name", "Nom"),
    ("email_domain", FieldType.TEXT, Level.GIVEN, "Domain of the address", "Domaine de l’adresse"),
    ("email_is_free", FieldType.BOOLEAN, Level.GIVEN, "Free mailbox", "Messagerie gratuite"),
    ("phone", FieldType.TEXT, Level.GIVEN, "Telephone", "Téléphone"),
    ("language", FieldType.TEXT, Level.GIVEN, "Language", "Langue"),
    ("country", FieldType.TEXT, Level.GIVEN, "Country", "Pays"),
    ("zone", FieldType.TEXT, Level.GIVEN, "Time zone", "Fuseau horaire"),
    ("source", FieldType.TEXT, Level.GIVEN, "Source", "Origine"),
    ("first_source", FieldType.TEXT, Level.GIVEN, "First source", "Première origine"),
    ("first_medium", FieldType.TEXT, Level.GIVEN, "First medium", "Premier support"),
    ("first_campaign", FieldType.TEXT, Level.GIVEN, "First campaign", "Première campagne"),
    ("first_referrer", FieldType.TEXT, Level.GIVEN, "First site that led here", "Premier site d’où l’on vient"),
    ("last_source", FieldType.TEXT, Level.GIVEN, "Last source", "Dernière origine"),
    ("last_medium", FieldType.TEXT, Level.GIVEN, "Last medium", "Dernier support"),
    ("last_campaign", FieldType.TEXT, Level.GIVEN, "Last campaign", "Dernière campagne"),
    ("last_referrer", FieldType.TEXT, Level.GIVEN, "Last site that led here", "Dernier site d’où l’on vient"),
    ("company", FieldType.TEXT, Level.GIVEN, "Company", "Entreprise"),
    ("fit", FieldType.INTEGER, Level.SCORED, "Fit", "Profil"),
    ("engagement", FieldType.INTEGER, Level.SCORED, "Engagement", "Engagement"),
    ("velocity", FieldType.INTEGER, Level.SCORED, "Points won in 7 days", "Points gagnés en 7 jours"),
    ("qualification", FieldType.INTEGER, Level.STAGED, "Criteria met", "Critères remplis"),
    ("with_sales", FieldType.BOOLEAN, Level.ESCALATED, "With sales", "Chez les commerciaux"),
)
_EVENTS: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    ("page_viewed", ("path",), "viewed a page", "a vu une page"),
    ("form_submitted", ("path", "form"), "submitted a form", "a rempli un formulaire"),
    ("content_downloaded", ("path", "asset"), "downloaded a document", "a téléchargé un document"),
    ("newsletter_joined", (), "joined the newsletter", "s’est abonné à la lettre"),
    ("email_clicked", ("path", "email"), "clicked in a mail", "a cliqué dans un mail"),
    ("email_replied", ("email",), "replied to a mail", "a répondu à un mail"),
    ("webinar_attended", ("topic",), "attended a webinar", "a suivi un webinaire"),
    ("social_engaged", ("network",), "engaged on social", "a réagi sur un réseau"),
    ("call_logged", (), "was on the phone with us", "a été au téléphone avec nous"),
    ("meeting_booked", ("starts_at",), "booked a meeting", "a pris rendez-vous"),
    ("demo_requested", (), "asked for a demo", "a demandé une démonstration"),
    ("quote_requested", (), "asked for a quote", "a demandé un devis"),
    ("deal_won", (), "bought", "a acheté"),
    ("deal_lost", (), "did not buy", "n’a pas acheté"),
)

BUILTIN_EVENTS: Mapping[str, EventSpec] = {
    name: EventSpec(name=name, properties=properties, label={"en": english, "fr": french})
    for name, properties, english, french in _EVENTS
}


def _choice(name: str, choices: Iterable[str], level: Level, english: str, french: str) -> FieldSpec:
    return FieldSpec(
        name=name,
        type=FieldType.CHOICE,
        choices=tuple(choices),
        label={"en": english, "fr": french},
        builtin=True,
        level=level,
    )


def _plain(row: _Row) -> FieldSpec:
    name, kind, level, english, french = row
    return FieldSpec(name=name, type=kind, label={"en": english, "fr": french}, builtin=True, level=level)


def builtin_fields(
    *, stages: Iterable[str], criteria: Iterable[str], segments: Iterable[str]
) -> Mapping[str, FieldSpec]:
    """The fields nobody declares; the choices of some come from the playbook's own names."""
    bands = [fit + engagement for fit in FIT_BANDS for engagement in ENGAGEMENT_BANDS]
    specs = [
        *map(_plain, _FIELDS),
        _choice("audience", Audience, Level.GIVEN, "Audience", "Public"),
        _choice("basis", Basis, Level.GIVEN, "Legal basis", "Base légale"),
        _choice("deal_state", ("open", "won", "lost"), Level.GIVEN, "Deal", "Affaire"),
        _choice("band", bands, Level.SCORED, "Band", "Classe"),
        _choice("stage", stages, Level.STAGED, "Stage", "Étape"),
        _choice("lifecycle", Lifecycle, Level.STAGED, "Lifecycle", "Cycle de vie"),
        _choice("segment_main", segments, Level.SEGMENTED, "Main segment", "Segment principal"),
        *(_consent(purpose) for purpose in CONSENT_PURPOSES),
        *(
            _choice(f"qualification.{name}", ("met", "unmet"), Level.STAGED, f"Criterion {name}", f"Critère {name}")
            for name in criteria
        ),
    ]
    return {spec.name: spec for spec in specs}


def _consent(purpose: str) -> FieldSpec:
    row = (
        f"consent.{purpose}",
        FieldType.BOOLEAN,
        Level.GIVEN,
        f"Agreed to {purpose.replace('_', ' ')}",
        f"Accord : {purpose.replace('_', ' ')}",
    )
    return _plain(row)


def vocabulary_of(
    *,
    fields: Mapping[str, FieldSpec],
    events: Mapping[str, EventSpec],
    stages: Iterable[str],
    criteria: Iterable[str],
    segments: Iterable[str],
) -> Vocabulary:
    """All words a condition may use: the built-in ones and the declared ones."""
    names = tuple(segments)
    return Vocabulary(
        fields={**builtin_fields(stages=stages, criteria=criteria, segments=names), **fields},
        events={**BUILTIN_EVENTS, **events},
        segments=frozenset(names),
    )

"""How many of those an email is for lack a value it cannot do without: they get another one, or none."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Subquery, case, func, select
from sqlalchemy.orm import Session

from leadflow.eligibility import bit_of, for_segments
from leadflow.email.needs import names_used
from leadflow.email.snippets import blanked, included
from leadflow.errors import Fault, Severity, TemplateError
from leadflow.models import account, lead, lead_score, lead_state, tpl, tpl_lang
from leadflow.pipeline.catalogue import has_bits, needed_names
from leadflow.playbook.emails import FOLDER
from leadflow.playbook.model import Playbook
from leadflow.playbook.snippets import FOLDER as SNIPPETS
from leadflow.playbook.vocabulary import ENGAGEMENT_BANDS, FIT_BANDS
from leadflow.text import _
from leadflow.types import Lifecycle, Place


def lacking_values(session: Session, playbook: Playbook) -> Iterator[Fault]:
    """A warning for each needed name that some of an email's audience lack; over the catalogue as last loaded.

    An email's own `when` is not asked: the audience is that of its stages, bands, segments and language.
    """
    names = needed_names(playbook)
    for name, template, language, people, without in _counted(session, playbook, names) if names else ():
        if without:
            told = _(
                "{name} has no default, and {share} of the {people} people this mail is for lack it: they will not get "
                "it. Write it under an if, or give it a default in email.yaml"
            )
            place = _place(playbook, template, language, name)
            words = told.format(name=name, people=people, share=_share(without, people))
            yield Fault(file=place.file, line=place.line, column=place.column, message=words, severity=Severity.WARNING)


def _counted(session: Session, playbook: Playbook, names: Sequence[str]) -> Iterator[tuple[str, str, str, int, int]]:
    """(name, email, language, audience, those without) for each email that needs the name; one statement."""
    people = _people(playbook)
    without = [func.sum(case((people.c.has.op("&")(1 << bit) == 0, 1), else_=0)) for bit in range(len(names))]
    pairs = ((tpl.c.stages, people.c.stage), (tpl.c.fits, people.c.fit), (tpl.c.engagements, people.c.engagement))
    query = (
        select(tpl.c.template, tpl_lang.c.lang, func.count(), *without)
        .select_from(tpl.join(tpl_lang, tpl_lang.c.template == tpl.c.template))
        .join(people, people.c.reads == tpl_lang.c.for_lang)
        .where(tpl_lang.c.needs != 0, *(theirs.op("&")(ours) != 0 for theirs, ours in pairs))
        .where(for_segments(people.c.id))
        .group_by(tpl.c.template, tpl_lang.c.lang)
        .order_by(tpl.c.template, tpl_lang.c.lang)
    )
    for template, language, audience, *counts in session.execute(query):
        needs = playbook.emails[template].needs.get(language, frozenset())
        for name, count in zip(names, counts, strict=True):
            if name in needs:
                yield name, template, language, int(audience), int(count)


def _people(playbook: Playbook) -> Subquery:
    """Leads and prospects with what emails are for, and the bits of what is known about them."""
    stages = [stage.name for stage in playbook.journey.stages]
    known = (
        lead.join(lead_state, lead_state.c.lead_id == lead.c.id)
        .join(lead_score, lead_score.c.lead_id == lead.c.id)
        .outerjoin(account, account.c.id == lead.c.account_id)
    )
    query = select(
        lead.c.id,
        func.coalesce(lead.c.language, "").label("reads"),
        bit_of(lead_state.c.stage, stages).label("stage"),
        bit_of(func.substr(lead_score.c.band, 1, 1), FIT_BANDS).label("fit"),
        bit_of(func.substr(lead_score.c.band, 2, 1), ENGAGEMENT_BANDS).label("engagement"),
        has_bits(playbook).label("has"),
    )
    living = lead_state.c.lifecycle.in_([Lifecycle.LEAD, Lifecycle.PROSPECT])
    return query.select_from(known).where(living).subquery("people")


def _share(part: int, whole: int) -> str:
    percent = 100 * part / whole
    return _("under 1 %") if percent < 1 else f"{percent:.0f} %"


def _place(playbook: Playbook, template: str, language: str, name: str) -> Place:
    """Where the body, or a snippet of it, first needs `name`; email.yaml where a subject does."""
    email = playbook.emails[template]
    bodies = [f"{FOLDER}/{template}/{draft.body_file(language)}" for draft in email.drafts]
    texts = [playbook.files.get(body, b"").decode() for body in bodies]
    snippets = [f"{SNIPPETS}/{one.snippet}." for text in texts for one in included(text)]
    files = [*bodies, *(path for path in playbook.files if path.startswith(tuple(snippets)))]
    return next((place for file in files if (place := _use(playbook, file, name))), email.place)


def _use(playbook: Playbook, file: str, name: str) -> Place | None:
    try:
        used = names_used(blanked(playbook.files.get(file, b"").decode(), playbook.brand.look.words))
    except TemplateError:
        return None
    return next(
        (Place(file=file, line=u.line, column=u.column) for u in used if u.name == name and not u.guarded), None
    )

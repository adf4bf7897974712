"""`templates/emails/<name>/`: email.yaml, one body a language, and the frame they share in `_base`."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from leadflow.conditions.vocabulary import Level
from leadflow.email.catalog import Email, For
from leadflow.playbook.bodies import Bodies, bodies_in
from leadflow.playbook.files import Files, digest_of
from leadflow.playbook.known import Known, place_of
from leadflow.playbook.model import Base
from leadflow.playbook.templates import Templates
from leadflow.playbook.variants import check_variants, variant_names, variants_of
from leadflow.playbook.vocabulary import ENGAGEMENT_BANDS, FIT_BANDS
from leadflow.reading import Node
from leadflow.text import _
from leadflow.types import DAY, Purpose

FOLDER = "templates/emails"
BASE = f"{FOLDER}/_base"
_KEYS = (
    "title",
    "purpose",
    "topic",
    "pick",
    "for",
    "rank",
    "again_after",
    "sender",
    "subject",
    "preheader",
    "defaults",
    "expires",
    "freeze",
    "was",
    "variants",
)
_BASE_FILES = ("layout.mjml", "layout.txt", "strings.yaml")


def base_of(files: Files, known: Known, templates: Templates) -> Base:
    """templates/emails/_base."""
    root = files.yaml(f"{BASE}/strings.yaml")
    strings = {key.raw: value.localised(known.languages) for key, value in root.items()} if root else {}
    for key, value in root.items() if root else ():
        for language in known.languages:
            if language not in strings[key.raw]:
                value.fault(_("{name} is missing in {language}").format(name=key.raw, language=language))
    paths = [f"{BASE}/{name}" for name in _BASE_FILES[:2]]
    layout, text = (templates.frame(path, files.text(path) or "", strings) for path in paths)
    return Base(layout=layout, text=text, strings=strings)


def email_names(files: Files) -> tuple[str, ...]:
    """The folders that hold an email."""
    names = (PurePosixPath(folder).name for folder in files.folders(FOLDER))
    return tuple(name for name in names if not name.startswith("_"))


def email_of(name: str, files: Files, known: Known, templates: Templates) -> Email | None:
    """The email in one folder; None when there is no readable email.yaml."""
    folder = f"{FOLDER}/{name}"
    root = files.yaml(f"{folder}/email.yaml")
    if root is None:
        return None
    bodies = bodies_in(folder, variant_names(root), files, known, templates)
    email = _written(name, root, known, bodies)
    _check_languages(email, root, known, folder)
    check_variants(email, root)
    read = [path for path in files.read if path.startswith((f"{folder}/", f"{BASE}/"))]
    needs = templates.check_email(email, root)
    look = {"look": repr(sorted(templates.look.items())).encode()}
    return replace(email, needs=needs, version=digest_of({**files.read, **look}, [*read, *look]))


def _written(name: str, root: Node, known: Known, bodies: Mapping[str, Bodies]) -> Email:
    root.only(*_KEYS)
    own = bodies[""]
    rank, again_after = root.part("rank").integer(at_least=0, at_most=1000), root.part("again_after").duration()
    return Email(
        name=name,
        title=root.part("title", needed=True).text() or "",
        purpose=Purpose(root.part("purpose").choice([*Purpose]) or Purpose.NURTURE),
        topic=root.part("topic").choice(known.topics),
        pick=root.part("pick").choice(["best", "named"]) or "best",
        audience=_audience(root.part("for"), known),
        rank=50 if rank is None else rank,
        again_after=365 * DAY if again_after is None else again_after,
        sender=root.part("sender").choice(["brand", "owner"]) or "brand",
        subject=root.part("subject", needed=True).localised(known.languages),
        preheader=root.part("preheader").localised(known.languages),
        defaults={key.raw: value.localised(known.languages) for key, value in root.part("defaults").items()},
        expires=root.part("expires").span(),
        freeze=root.part("freeze").boolean() or False,
        was=root.part("was").text(),
        bodies=own.sources,
        kinds=own.kinds,
        texts=own.texts,
        variants=variants_of(root, known, bodies),
        place=place_of(root),
    )


def _audience(node: Node, known: Known) -> For:
    node.only("stage", "segments", "fit", "engagement", "languages", "when")
    return For(
        stage=node.part("stage").choices(known.stages),
        segments=node.part("segments").choices(sorted(known.vocabulary.segments)),
        fit=node.part("fit").choices(FIT_BANDS),
        engagement=node.part("engagement").choices(ENGAGEMENT_BANDS),
        languages=node.part("languages").choices(known.languages),
        when=known.optional_condition(node.part("when"), limit=Level.ESCALATED, reader=_("emails")),
    )


def _check_languages(email: Email, root: Node, known: Known, folder: str) -> None:
    """Each language the email is for has a body and a subject; nothing is written in vain."""
    asked = email.audience.languages or known.languages
    where = root.part("for").part("languages")
    spot = root if where.absent else where
    for language in asked:
        general = language.partition("-")[0]
        if general != language and general in email.bodies and language not in email.bodies:
            # Who reads fr-BE reads fr.
            continue
        if language not in email.bodies:
            spot.fault(_("there is no {folder}/body.{language}.md").format(folder=folder, language=language))
        if email.subject and language not in email.subject:
            root.part("subject").fault(_("there is no subject in {language}").format(language=language))
    for language in sorted(set(email.bodies) - set(asked)):
        message = _("body.{language} is never used: for.languages does not list {language}").format(language=language)
        spot.fault(message, warning=True)

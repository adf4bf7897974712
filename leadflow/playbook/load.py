"""Reads a whole workspace into one frozen Playbook, and notes every fault on the way."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from leadflow.conditions.parse import parse_condition
from leadflow.conditions.tree import Condition
from leadflow.email.catalog import Email
from leadflow.errors import Fault, PlaybookError, Severity
from leadflow.playbook import company, limits
from leadflow.playbook.delivery import delivery_of
from leadflow.playbook.emails import FOLDER, base_of, email_names, email_of
from leadflow.playbook.examples import check_examples
from leadflow.playbook.files import Files, digest_of
from leadflow.playbook.forms import FOLDER as FORMS
from leadflow.playbook.forms import check_confirmed, form_of
from leadflow.playbook.graph import check_graph, never_holds
from leadflow.playbook.graph_logic import Logic
from leadflow.playbook.journey import criteria_names, journey_of, stage_names
from leadflow.playbook.known import UNREADABLE, Known, fault_at, is_name, wrong_name
from leadflow.playbook.lint import Lint
from leadflow.playbook.model import Playbook, Segment
from leadflow.playbook.page_links import wrong_links
from leadflow.playbook.pages import pages_of
from leadflow.playbook.rights import SECTIONS as RIGHTS
from leadflow.playbook.rights import rights_of, topic_names
from leadflow.playbook.sales import sales_of
from leadflow.playbook.schedule import schedule_of
from leadflow.playbook.scoring import scoring_of
from leadflow.playbook.segments import check_segments, segment_of
from leadflow.playbook.sequences import sequence_of, warn_unnamed
from leadflow.playbook.social import social_of
from leadflow.playbook.templates import Templates
from leadflow.playbook.vocabulary import vocabulary_of
from leadflow.reading import Node, did_you_mean
from leadflow.text import _

MAIN = "config/leadflow.yaml"
_CONFIG = ("leadflow.yaml", "scoring.yaml", "journey.yaml", "sales.yaml", "schedule.yaml")
_SECTIONS = (
    "brand",
    "office",
    "sender",
    "fields",
    "events",
    "segment_order",
    "never",
    "pressure",
    "window",
    "brake",
    "delivery",
    *RIGHTS,
    "social",
    "removed",
)


def load_playbook(workspace: Path) -> Playbook:
    """The playbook of `workspace`; PlaybookError with all faults when it has any."""
    playbook, faults = check_playbook(workspace)
    if playbook is None:
        raise PlaybookError([fault for fault in faults if fault.severity is Severity.ERROR])
    return playbook


def check_playbook(workspace: Path) -> tuple[Playbook | None, list[Fault]]:
    """The playbook, None when it has errors, and every error and warning in the order of files and lines."""
    faults: list[Fault] = []
    files = Files(workspace, faults)
    if not (workspace / MAIN).is_file():
        files.fault(MAIN, _("there is no playbook here; leadflow init DIR starts one"))
        return None, faults
    playbook = _read(files)
    ordered = sorted(dict.fromkeys(faults), key=lambda fault: (fault.file, fault.line, fault.column))
    return None if _is_wrong(faults) else playbook, ordered


def _read(files: Files) -> Playbook | None:
    roots = {name: files.yaml(f"config/{name}") for name in _CONFIG}
    segment_roots, sequence_roots = _roots(files, "segments"), _roots(files, "config/sequences")
    _check_names(files)
    main, journey = roots["leadflow.yaml"], roots["journey.yaml"]
    if main is None or journey is None:
        # Without the words these two declare, every other file would seem to be wrong.
        return None
    main.only(*_SECTIONS)
    known = _known(files, main, journey, segment_roots)
    segments = _segments(segment_roots, known)
    brand = company.brand_of(main.part("brand", needed=True))
    templates = Templates(known, files, brand.look.words)
    base = base_of(files, known, templates)
    emails = {name: email_of(name, files, known, templates) for name in email_names(files)}
    email_roots = {name: files.yaml(f"{FOLDER}/{name}/email.yaml") or _nothing() for name in emails}
    lint = Lint(files, base, known=templates.allowed, language=known.languages[0])
    files.faults += lint.frame()
    files.faults += [
        fault for email in emails.values() if email for fault in lint.email(email, email_roots[email.name])
    ]
    _check_renamed_emails(emails, files.faults)
    sequences = [sequence_of(name, root, known, emails) for name, root in sequence_roots.items()]
    _check_renamed(sequence_roots)
    if len(sequences) == len(_yaml_files(files, "config/sequences")):
        warn_unnamed(emails, sequences, files.faults)
    form_roots = _roots(files, FORMS)
    forms = {name: form_of(name, root, known, files) for name, root in form_roots.items()}
    check_confirmed(main.part("confirmations"), form_roots, forms)
    pages = pages_of(files, known, brand, forms)
    files.faults += wrong_links(files.read, forms, pages)
    sales = sales_of(roots["sales.yaml"] or _nothing(), known)
    reasons = _reject_reasons(sales.answers) if roots["sales.yaml"] else None
    declared = {spec.name: spec for spec in known.vocabulary.fields.values() if not spec.builtin}
    playbook = Playbook(
        brand=brand,
        office=company.office_of(main.part("office", needed=True)),
        senders=company.senders_of(main.part("sender", needed=True), known.languages),
        fields=declared,
        events=known.vocabulary.events,
        vocabulary=known.vocabulary,
        segment_order=_segment_order(main, known.vocabulary.segments),
        segments=segments,
        never=limits.never_of(main.part("never"), known),
        pressure=limits.pressure_of(main.part("pressure")),
        window=limits.window_of(main.part("window")),
        brake=limits.brake_of(main.part("brake")),
        delivery=delivery_of(main.part("delivery")),
        rights=rights_of(main, known, emails),
        social=social_of(main.part("social")),
        scoring=scoring_of(roots["scoring.yaml"] or _nothing(), known),
        journey=journey_of(journey, known, reasons),
        sales=sales,
        schedule=schedule_of(roots["schedule.yaml"] or _nothing()),
        sequences=tuple(sorted(sequences, key=lambda sequence: (-sequence.priority, sequence.name))),
        emails={name: email for name, email in emails.items() if email is not None},
        base=base,
        forms=forms,
        pages=pages,
        removed_sequences=_removed(main.part("removed"), sequence_roots),
        files=dict(sorted(files.read.items())),
        version=digest_of(files.read),
    )
    if not _is_wrong(files.faults):
        # Where something is wrong, what fits together cannot be told.
        ordered = {node.raw for node in main.part("segment_order").elements()}
        files.faults += check_graph(playbook, email_roots, ordered)
    return playbook


def _is_wrong(faults: list[Fault]) -> bool:
    return any(fault.severity is Severity.ERROR for fault in faults)


def _nothing() -> Node:
    """Stands for a file that could not be read: that is noted already, what is missing in it is nobody's news."""
    return Node("", 0, 0, [])


def _check_names(files: Files) -> None:
    """A fault for each file of config/ that nobody reads: a misspelt name must not go unnoticed."""
    for path in files.names("config"):
        name = PurePosixPath(path).name
        if name not in (*_CONFIG, "sequences", "forms"):
            files.fault(path, _("nobody reads this file.") + did_you_mean(name, _CONFIG))
    for name in email_names(files):
        if not is_name(name):
            files.fault(f"{FOLDER}/{name}", wrong_name())
    for folder in ("segments", "config/sequences", FORMS):
        for path in files.names(folder):
            if not path.endswith(".yaml"):
                files.fault(path, _("nobody reads this file: its name must end in .yaml"))


def _yaml_files(files: Files, folder: str) -> list[str]:
    return [path for path in files.names(folder) if path.endswith(".yaml")]


def _roots(files: Files, folder: str) -> Mapping[str, Node]:
    """Name → root of each YAML file of `folder`."""
    paths = _yaml_files(files, folder)
    for path in paths:
        if not is_name(PurePosixPath(path).stem):
            files.fault(path, wrong_name())
    found = {PurePosixPath(path).stem: files.yaml(path) for path in paths}
    return {name: root for name, root in found.items() if root is not None}


def _removed(node: Node, sequences: Mapping[str, Node]) -> tuple[str, ...]:
    """`removed: {sequences: [old-name]}`: gone for good, and whoever is under way in one leaves it."""
    node.only("sequences")
    names = node.part("sequences").texts()
    for name in names:
        if name in sequences:
            node.part("sequences").fault(_('sequence "{sequence}" is still there').format(sequence=name))
    return tuple(names)


def _check_renamed(sequences: Mapping[str, Node]) -> None:
    for root in sequences.values():
        was = root.part("was")
        if was.raw in sequences:
            was.fault(_('sequence "{sequence}" is still there').format(sequence=was.raw))


def _check_renamed_emails(emails: Mapping[str, Email | None], faults: list[Fault]) -> None:
    told = _('email "{email}" is still there')
    faults += [fault_at(one.place, told.format(email=one.was)) for one in emails.values() if one and one.was in emails]


def _known(files: Files, main: Node, journey: Node, segment_roots: Mapping[str, Node]) -> Known:
    vocabulary = vocabulary_of(
        fields=company.fields_of(main.part("fields")),
        events=company.events_of(main.part("events")),
        stages=stage_names(journey),
        criteria=criteria_names(journey),
        segments=[PurePosixPath(path).stem for path in _yaml_files(files, "segments")],
    )
    conditions: dict[str, Condition] = {}
    for name, root in segment_roots.items():
        root.only("title", "why", "opener", "when", "examples")
        when = root.require("when")
        condition = parse_condition(when, vocabulary, read_file=files.lines) if when else None
        if condition is not None:
            conditions[name] = condition
    return Known(
        languages=tuple(dict.fromkeys(main.part("brand").part("languages").texts())) or ("en",),
        topics=topic_names(main),
        vocabulary=vocabulary,
        stages=stage_names(journey),
        segments=conditions,
        read_file=files.lines,
    )


def _segments(roots: Mapping[str, Node], known: Known) -> Mapping[str, Segment]:
    faults: list[Fault] = next((root.faults for root in roots.values()), [])
    before = len(faults)
    check_segments(known, faults)
    readable = len(faults) == before
    found = {}
    logic = Logic(vocabulary=known.vocabulary, segments=known.segments)
    for name, root in roots.items():
        when, read = known.segments.get(name, UNREADABLE), len(faults)
        found[name] = segment_of(name, root, when, languages=known.languages, words=known.vocabulary)
        if readable and len(faults) == read and name in known.segments:
            check_examples(found[name], root.part("examples"), known)
            # Told here, too: it is why an example fails.
            faults += never_holds(when, logic)
    return found


def _segment_order(main: Node, segments: frozenset[str]) -> tuple[str, ...]:
    node = main.part("segment_order")
    order = node.choices(sorted(segments))
    for name in sorted(segments - set(order)):
        message = _('segment "{segment}" is not in segment_order: it comes after the others')
        (main if node.absent else node).fault(message.format(segment=name), warning=True)
    return tuple(dict.fromkeys([*order, *sorted(segments)]))


def _reject_reasons(answers: Mapping[str, Mapping[str, object]]) -> tuple[str, ...]:
    reasons = answers.get("reject", {}).get("reasons", ())
    return tuple(reasons) if isinstance(reasons, tuple) else ()

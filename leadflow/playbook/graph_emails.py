"""Emails that contradict themselves, and emails that no step can ever send."""

from collections.abc import Iterator, Mapping

from leadflow.conditions.tree import All, AnyOf, Condition, FieldLeaf, SegmentLeaf
from leadflow.email.catalog import Email
from leadflow.errors import Fault
from leadflow.playbook.graph_logic import Logic
from leadflow.playbook.graph_rows import told
from leadflow.playbook.graph_sequences import reached, under_way
from leadflow.playbook.known import place_of
from leadflow.playbook.model import Playbook, Sequence
from leadflow.playbook.vocabulary import ENGAGEMENT_BANDS, FIT_BANDS
from leadflow.reading import Node
from leadflow.steps.email import EmailStep
from leadflow.types import Place, Purpose


def check_emails(playbook: Playbook, roots: Mapping[str, Node], logic: Logic) -> Iterator[Fault]:
    """Warnings about emails; `roots` are their email.yaml."""
    asked = [(sequence, step) for sequence in playbook.sequences for step in _sending(sequence)]
    for email in playbook.emails.values():
        wanted = audience_of(email, playbook.email_when(email.name))
        written = roots[email.name].part("for")
        if what := logic.clash(wanted):
            yield told("never-holds", _spot(written, what), what=what)
        elif email.pick == "best" and email.purpose is Purpose.NURTURE:
            yield from _unreached(email, wanted, written, asked, logic)


def _sending(sequence: Sequence) -> list[EmailStep]:
    names = reached(sequence, frozenset())
    return [step for step in sequence.steps if isinstance(step, EmailStep) and step.name in names]


def _unreached(
    email: Email, wanted: Condition, written: Node, asked: list[tuple[Sequence, EmailStep]], logic: Logic
) -> Iterator[Fault]:
    if any(step.email == email.name for _sequence, step in asked):
        return
    stages = email.audience.stage
    able = [sequence for sequence, step in asked if step.best_for and (not stages or step.best_for in stages)]
    if not able:
        named = {"stages": ", ".join(stages) or "…", "stage": stages[0] if stages else "…"}
        yield told("email-unasked", _spot(written, "stage"), **named)
        return
    each = {sequence.name: sequence for sequence in able}
    clashes = {name: logic.clash(All((under_way(sequence), wanted))) for name, sequence in each.items()}
    if None not in clashes.values():
        name, what = next(iter(clashes.items()))
        yield told("email-unreached", _spot(written, what or ""), sequence=name, what=what)


def audience_of(email: Email, when: Condition | None) -> Condition:
    """`for` as one condition; languages are left out: who speaks another may fall back on one of them."""
    said, parts = email.audience, list[Condition]()
    if said.stage:
        parts.append(FieldLeaf(field="stage", operator="in", value=said.stage))
    if said.segments:
        parts.append(AnyOf(tuple(SegmentLeaf(segment=name) for name in said.segments)))
    if said.fit or said.engagement:
        fits, engagements = said.fit or FIT_BANDS, said.engagement or ENGAGEMENT_BANDS
        bands = tuple(fit + engagement for fit in fits for engagement in engagements)
        parts.append(FieldLeaf(field="band", operator="in", value=bands))
    if when is not None:
        parts.append(when)
    return All(tuple(parts))


def _spot(written: Node, what: str) -> Place:
    """The key of `for` that speaks of `what`; `for` itself where none does."""
    keys = {"stage": "stage", "band": "fit"}
    for key in (keys.get(what, "when"), "when", "segments", "engagement", "stage"):
        node = written.part(key)
        if not node.absent:
            return place_of(written.key(key))
    return place_of(written)

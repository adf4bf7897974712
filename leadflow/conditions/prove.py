"""Why a condition holds for a person or does not, in words: `employees: 62 is between 10 and 250`."""

from dataclasses import dataclass
from datetime import date

from leadflow.conditions.dates import day_words
from leadflow.conditions.evaluate import Person, View, acts_counted, field_holds, holds, plain
from leadflow.conditions.operands import HUNDREDTHS, stored, today_of, typed
from leadflow.conditions.operators import OPERATORS, Asked, Operator
from leadflow.conditions.tree import All, AnyOf, Condition, EventLeaf, FieldLeaf, Not, SegmentLeaf
from leadflow.conditions.vocabulary import FieldSpec, Vocabulary
from leadflow.conditions.words import fold_words
from leadflow.text import _, current_language, ngettext
from leadflow.types import DAY, HOUR, MINUTE

#: A longer list of values is cut.
_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One line of the answer, with what it rests on."""

    text: str
    holds: bool
    children: tuple["Proof", ...] = ()
    #: The same in fewer words, where others stand around it; empty for the text itself.
    short: str = ""


def because(proof: Proof, *, most: int = 2) -> str:
    """The leaves that made it come out so, in few words; `most` of them at most."""
    if not proof.children:
        return proof.short or proof.text
    held = [child for child in proof.children if child.holds is proof.holds] or list(proof.children)
    said = "; ".join(because(child, most=most) for child in held[:most])
    return _("not ({what})").format(what=said) if len(proof.children) == 1 and proof.holds != held[0].holds else said


def prove(condition: Condition, person: Person, view: View) -> Proof:
    """The same answer as `holds`, with the value each leaf saw."""
    met = holds(condition, person, view)
    match condition:
        case All(items):
            return Proof(text=_("all of"), holds=met, children=tuple(prove(item, person, view) for item in items))
        case AnyOf(items):
            return Proof(
                text=_("at least one of"), holds=met, children=tuple(prove(item, person, view) for item in items)
            )
        case Not(item):
            return Proof(text=_("not"), holds=met, children=(prove(item, person, view),))
        case FieldLeaf():
            return Proof(
                text=_field_text(condition, person, view), holds=met, short=_field_short(condition, person, view)
            )
        case EventLeaf():
            return Proof(text=_event_text(condition, person, view), holds=met)
        case SegmentLeaf(segment=name):
            text = (_("in segment {segment}") if met else _("not in segment {segment}")).format(segment=name)
            inner = (prove(view.segments[name], person, view.inside(name)),) if name in view.segments else ()
            return Proof(text=text, holds=met, children=inner)


def _field_text(leaf: FieldLeaf, person: Person, view: View) -> str:
    spec, operator = view.vocabulary.fields[leaf.field], OPERATORS[leaf.operator]
    value = person.fields.get(leaf.field)
    # Whole words are compared folded, but people read what is written.
    missing = typed(value, spec, operator) is None
    if operator.asked is Asked.FLAG:
        return (_("{field} is not known") if missing else _("{field} is known: {value}")).format(
            field=leaf.field, value=_shown(value, spec)
        )
    asked, denied = (words.format(*_operand(leaf, spec, operator, view)) for words in operator.words())
    if missing:
        return _("{field} is not known (asked: {asked})").format(field=leaf.field, asked=asked)
    said = asked if field_holds(leaf, person, view) else denied
    return f"{leaf.field}: {_shown(value, spec)} {said}"


def _field_short(leaf: FieldLeaf, person: Person, view: View) -> str:
    """`country is FR`; the word that was found, not all that were looked for."""
    spec, value = view.vocabulary.fields[leaf.field], person.fields.get(leaf.field)
    if not field_holds(leaf, person, view):
        return ""
    if leaf.operator in ("in", "is"):
        return _("{field} is {value}").format(field=leaf.field, value=_shown(value, spec))
    if leaf.operator == "matches_word" and isinstance(value, str):
        words = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        found = next((str(word) for word in words if fold_words(str(word)) in fold_words(value)), "")
        return _('"{value}" has the word {word}').format(value=value, word=found)
    return ""


def asked_words(leaf: FieldLeaf, view: View, *, wanted: bool = True, missing: bool = False) -> str:
    """`project is one of new_site, redesign`: what a field would have to be."""
    spec, operator = view.vocabulary.fields[leaf.field], OPERATORS[leaf.operator]
    if missing or operator.asked is Asked.FLAG:
        known = bool(leaf.value) is wanted and operator.asked is Asked.FLAG
        return (_("{field} is known") if known else _("{field} is not known")).format(field=leaf.field)
    asked, denied = (words.format(*_operand(leaf, spec, operator, view)) for words in operator.words())
    return f"{leaf.field} {asked if wanted else denied}"


def _operand(leaf: FieldLeaf, spec: FieldSpec, operator: Operator, view: View) -> tuple[str, ...]:
    match operator.asked:
        case Asked.NEXT | Asked.LAST:
            return tuple(stored(leaf, spec, today_of(view.now, view.zone)))
        case Asked.PAIR if isinstance(leaf.value, tuple):
            return tuple(map(_plain, leaf.value))
        case _ if isinstance(leaf.value, tuple):
            more = ", …" if len(leaf.value) > _SHOWN else ""
            return (", ".join(map(_plain, leaf.value[:_SHOWN])) + more,)
        case _:
            return (_plain(leaf.value),)


def _shown(value: object, spec: FieldSpec) -> str:
    if spec.name in HUNDREDTHS and isinstance(value, int):
        return f"{value / 100:g}"
    return _plain(value)


def _plain(value: object) -> str:
    match value:
        case bool():
            return _("yes") if value else _("no")
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _event_text(leaf: EventLeaf, person: Person, view: View) -> str:
    acts = acts_counted(leaf, person, view)
    said = acts_words(leaf, len(acts), view.vocabulary)
    if leaf.within is not None:
        said += " " + _("in {span}").format(span=span_text(leaf.within))
    said += f" ({_asked(leaf)})"
    if acts:
        last = max(act.occurred_at for act in acts).astimezone(view.zone).date()
        today = view.now.astimezone(view.zone).date()
        said += ", " + _("last on {date}").format(date=day_words(last, today))
    return said


def acts_words(leaf: EventLeaf, count: int, vocabulary: Vocabulary) -> str:
    """`2 visits to /tarifs, /en/pricing`; `attended a webinar: 1 time`."""
    if paths := visited(leaf):
        return ngettext("{n} visit to {paths}", "{n} visits to {paths}", count).format(n=count, paths=paths)
    return f"{event_words(leaf, vocabulary)}: {ngettext('{n} time', '{n} times', count).format(n=count)}"


def visited(leaf: EventLeaf) -> str:
    """`/tarifs, /en/pricing` of a leaf that asks for views of pages and nothing else."""
    if leaf.events != ("page_viewed",) or [*leaf.where] != ["path"]:
        return ""
    return ", ".join(plain(value) or "" for value in leaf.where["path"]).replace("*", "")


def event_words(leaf: EventLeaf, vocabulary: Vocabulary) -> str:
    """`viewed a page [topic seo] / attended a webinar`."""
    language = current_language()
    labels = (
        vocabulary.events[name].label.get(language, name) if name in vocabulary.events else name for name in leaf.events
    )
    where = "; ".join(
        f"{name} {', '.join(plain(value) or '' for value in values)}" for name, values in leaf.where.items()
    )
    return " / ".join(labels) + (f" [{where}]" if where else "")


def _asked(leaf: EventLeaf) -> str:
    least, most = leaf.at_least or 0, leaf.at_most
    if most is None:
        return _("asked: at least {n}").format(n=least)
    if least == 0:
        return _("asked: at most {n}").format(n=most)
    return _("asked: {least} to {most}").format(least=least, most=most)


def span_text(amount: int) -> str:
    """Microseconds as people say them: `14 days`, `36 hours`."""
    if amount % DAY == 0:
        return ngettext("{n} day", "{n} days", amount // DAY).format(n=amount // DAY)
    if amount % HOUR == 0:
        return ngettext("{n} hour", "{n} hours", amount // HOUR).format(n=amount // HOUR)
    return ngettext("{n} minute", "{n} minutes", amount // MINUTE).format(n=amount // MINUTE)

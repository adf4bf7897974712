"""`variants: {question: {share: 20 %, subject: …}}` in email.yaml: other texts of an email, each for some readers."""

from collections.abc import Iterator, Mapping

from leadflow.email.catalog import Email, Variant
from leadflow.email.variants import ORIGINAL
from leadflow.playbook.bodies import Bodies
from leadflow.playbook.known import Known, is_name, wrong_name
from leadflow.reading import Node
from leadflow.text import _


def variant_names(root: Node) -> list[str]:
    """The names in an email.yaml, as written."""
    return root.part("variants").keys()


def variants_of(root: Node, known: Known, bodies: Mapping[str, Bodies]) -> tuple[Variant, ...]:
    """What an email.yaml says of them, with the bodies found of each; faults noted on the way."""
    node = root.part("variants")
    found = tuple(_variant(key, value, known, bodies[key.raw]) for key, value in _named(node))
    total = 0
    for one in found:
        total += one.share
        if total > 100:
            told = _("the variants together have {total} %: 100 % is all there is").format(total=total)
            node.part(one.name).part("share").fault(told)
            break
    return found


def _named(node: Node) -> Iterator[tuple[Node, Node]]:
    for key, value in node.items():
        if key.raw == ORIGINAL:
            key.fault(
                _('the text above is the original: call the variant something else than "{name}"').format(name=key.raw)
            )
        elif not is_name(key.raw):
            key.fault(wrong_name())
        yield key, value


def _variant(key: Node, node: Node, known: Known, bodies: Bodies) -> Variant:
    node.only("share", "subject", "preheader")
    share = node.part("share", needed=True)
    percent = share.percent()
    if percent == 0:
        share.fault(_("nobody gets a variant with a share of 0 %: give it a share, or take it away"))
    return Variant(
        name=key.raw,
        share=percent or 0,
        subject=node.part("subject").localised(known.languages),
        preheader=node.part("preheader").localised(known.languages),
        bodies=bodies.sources,
        kinds=bodies.kinds,
        texts=bodies.texts,
    )


def check_variants(email: Email, root: Node) -> None:
    """Each is another text than the original, in every language the email is written in and in no other."""
    node = root.part("variants")
    for one in email.variants:
        key = node.key(one.name)
        for language in sorted(set(one.bodies) - set(email.bodies)):
            told = _("body.{name}.{language} is a variant of nothing: there is no body.{language}")
            key.fault(told.format(name=one.name, language=language))
        for language in email.bodies:
            if not one.changes(language):
                told = _(
                    "{name} is the same as the original in {language}: give it a subject, a preheader or a "
                    "body.{name}.{language}.md of its own"
                )
                key.fault(told.format(name=one.name, language=language))

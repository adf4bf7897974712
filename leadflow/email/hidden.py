"""A link that no reader sees, hears or tabs to: whoever follows it reads the source of mails, as scanners do."""

from leadflow.email.render import Rendered, with_last

_BEGIN = '<div style="display:none;max-height:0;overflow:hidden" aria-hidden="true"><a href="'
_END = '" tabindex="-1"></a></div>'


def with_hidden_link(mail: Rendered, url: str) -> Rendered:
    """`mail` with the link at the end of its body; the text of a mail shows all it has, so it gets none."""
    return with_last(mail, f"{_BEGIN}{url}{_END}")


def seen_part(html: str) -> str:
    """The page of a mail as its readers see it: up to the link that they do not."""
    return html.rpartition(_BEGIN)[0] or html

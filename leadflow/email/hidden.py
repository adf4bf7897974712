"""A link that no reader sees, hears or tabs to: whoever follows it reads the source of mails, as scanners do."""

_BEGIN = '<div style="display:none;max-height:0;overflow:hidden" aria-hidden="true"><a href="'
_END = '" tabindex="-1"></a></div>'


def hidden_link(url: str) -> str:
    """The link, for the end of a mail's body."""
    return f"{_BEGIN}{url}{_END}"


def seen_part(html: str) -> str:
    """The page of a mail as its readers see it: up to the link that they do not."""
    return html.rpartition(_BEGIN)[0] or html

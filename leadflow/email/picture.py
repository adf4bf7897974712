"""A picture of one point at the end of a mail, which is fetched on the day the mail is opened."""

from dataclasses import replace

from leadflow.email.render import Rendered


def with_picture(mail: Rendered, url: str) -> Rendered:
    """`mail` with the picture; its text shows all it has, so it gets none."""
    head, end, tail = mail.html.rpartition("</body>")
    if not end:
        return mail
    picture = f'<img src="{url}" width="1" height="1" alt="" style="display:block;border:0">'
    return replace(mail, html=f"{head}{picture}{end}{tail}")

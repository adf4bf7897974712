"""A picture of one point at the end of a mail, which is fetched on the day the mail is opened."""

from leadflow.email.render import Rendered, with_last


def with_picture(mail: Rendered, url: str) -> Rendered:
    """`mail` with the picture; its text shows all it has, so it gets none."""
    return with_last(mail, f'<img src="{url}" width="1" height="1" alt="" style="display:block;border:0">')

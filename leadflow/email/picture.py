"""A picture of one point at the end of a mail, which is fetched on the day the mail is opened."""


def picture(url: str) -> str:
    """The picture, for the end of a mail's body."""
    return f'<img src="{url}" width="1" height="1" alt="" style="display:block;border:0">'

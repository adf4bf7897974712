"""What a social tool's webhook says, and where in it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SocialTool:
    """`social: {NAME: …}` of leadflow.yaml: dotted paths into the JSON of one tool, `data.contact.email`."""

    name: str
    #: Where the list of items stands; empty: the body itself.
    items: str = ""
    email: str = ""
    external_id: str = ""
    id: str = ""
    at: str = ""
    #: Path of the network's name; or the one network the tool is about.
    network: str = ""
    network_is: str = ""

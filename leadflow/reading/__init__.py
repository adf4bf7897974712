"""Reading what people wrote in YAML: nodes that know their place, and faults in plain words instead of exceptions."""

from leadflow.reading.countries import countries, country_codes
from leadflow.reading.node import Node
from leadflow.reading.parse import LARGEST_FILE, read_yaml
from leadflow.reading.words import did_you_mean, nearest, one_of

__all__ = ["LARGEST_FILE", "Node", "countries", "country_codes", "did_you_mean", "nearest", "one_of", "read_yaml"]

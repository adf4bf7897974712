"""leadflow turns leads into prospects: scoring, nurturing and hand-over to sales from files under review."""

__version__ = "0.1.0"

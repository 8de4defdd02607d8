"""A story's loaded words where an editor can act on them: line and column, reason, plainer words, and the house's rules."""

from loadedwords.house import HOUSE_FILE, House, HouseError, accept_words, find_house, read_house
from loadedwords.lint.documents import Document, make_document, read_documents
from loadedwords.lint.findings import Finding, lint_document, lint_text

__all__ = [
    "HOUSE_FILE",
    "Document",
    "Finding",
    "House",
    "HouseError",
    "accept_words",
    "find_house",
    "lint_document",
    "lint_text",
    "make_document",
    "read_documents",
    "read_house",
]

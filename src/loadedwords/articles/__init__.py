"""Files, folders, standard input and datasets → a stream of articles; what can't be read → a reject with a reason."""

from loadedwords.articles.columns import COLUMN_NAMES
from loadedwords.articles.frames import read_table
from loadedwords.articles.inputs import find_files, is_table
from loadedwords.articles.reading import read_articles, read_dataset
from loadedwords.articles.records import ReadOptions
from loadedwords.articles.sources import STDIN, Progress

__all__ = [
    "COLUMN_NAMES",
    "STDIN",
    "Progress",
    "ReadOptions",
    "find_files",
    "is_table",
    "read_articles",
    "read_dataset",
    "read_table",
]

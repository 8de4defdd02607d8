"""Files, folders and globs → the files that they stand for, and the outlets that folders name."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from loadedwords.articles.remote import FilePath, is_remote_folder
from loadedwords.articles.sources import STDIN
from loadedwords.errors import DataError
from loadedwords.files import is_address

_NO_OUTLET = re.compile(
    r"[\d\W_]*(?:(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*[\d\W_]*)?", re.IGNORECASE
)


def is_table(thing: object) -> bool:
    """Whether it is a table of polars, pandas or pyarrow, or a `datasets.Dataset`, by what it offers."""
    return offers(thing, "columns") or offers(thing, "column_names")


def offers(thing: object, name: str) -> bool:
    """Whether it has such a method: its type is asked, as some tables have their columns for attributes."""
    return hasattr(type(thing), name)


def find_files(inputs: str | Path | Sequence[str | Path], *, without: Path | None = None) -> list[Path | None]:
    """The files that `inputs` stand for; None is standard input. Nothing below the folder `without` is taken.

    Raises
    ------
    DataError
        If one of them stands for nothing, or all together do.
    """
    files = _files_of(inputs, without=without)
    if not files:
        named = [Path(given) for given in ([inputs] if isinstance(inputs, (str, Path)) else inputs)]
        if without and not _is_of_a_run(without / "run.json") and any(_is_below(path, without) for path in named):
            raise DataError(f"What is in {without} is not read, as the results go there.\nName another folder with -o.")
        raise DataError(
            "There is nothing to read but the results of an earlier run.\nPass files, or folders that hold some."
        )
    return files


def _files_of(
    inputs: str | Path | Sequence[str | Path], *, without: Path | None, matched: bool = False
) -> list[Path | None]:
    """Likewise; what a pattern `matched` may be an empty folder, and what is named may be that of the results."""
    files: list[Path | None] = []
    for given in [inputs] if isinstance(inputs, (str, Path)) else inputs:
        path = Path(given)
        if len(path.name) > 255 or not str(given).strip():
            raise DataError(f"{str(given)[:60]!r} is no name of a file or folder.\nCheck the path.")
        if str(given) == STDIN:
            files.append(None)
        elif path.is_dir():
            # A folder that can't be gone into is told of when it is read.
            found = [p for p in path.rglob("*") if not p.is_dir() or is_closed(p) or _leads_away(p, path)]
            results = [p.parent for p in found if _is_of_a_run(p)]
            inside = sorted(p for p in found if not _is_left_out(p, path, without, results))
            if is_closed(path):
                raise DataError(f"The folder {path} may not be read.\nAsk for the right to, or name another.")
            is_of_results = without is not None and _is_below(path, without)
            if not inside and not matched and not is_of_results and path not in results:
                raise DataError(
                    f"The folder {path} is empty.\nPass files, folders that hold some, or - for standard input."
                )
            files.extend(inside)
        elif os.path.lexists(path):
            if without is not None and _is_below(path, without):
                raise DataError(f"{path} lies in {without}, where the results go.\nName another folder with -o.")
            files.append(path)
        elif glob.has_magic(str(given)) and (matches := _matches(path)):
            files.extend(_files_of(matches, without=without, matched=True))
        else:
            raise DataError(
                f"There is no file, folder or match for {given}.\nCheck the path; the current folder is {Path.cwd()}."
            )
    return files


def _matches(pattern: Path) -> list[str]:
    if "**" not in pattern.parts:
        return sorted(glob.glob(str(pattern)))
    # glob.glob goes through links, and where they lead in circles it never comes back.
    inside = Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))
    named = frozenset(pattern.parts)
    return sorted(str(p) for p in inside if not any(part[0] == "." and part not in named for part in p.parts))


def folder_outlets(inputs: Sequence[str | Path], files: Iterable[FilePath | None]) -> dict[FilePath | None, str]:
    """The outlet of each file by the outermost folder that tells them apart, such as articles/2018/Wire/story.txt.

    Folders called by a date or number name no outlet, and a single folder tells nothing apart.
    """
    folders = [
        PurePath(given)
        for given in inputs
        if (is_remote_folder(str(given)) if is_address(given) else Path(given).is_dir())
    ]
    parents = Counter(folder.parent for folder in folders)
    above: dict[FilePath | None, list[str]] = {}
    for file in files:
        path = PurePath(str(file))
        if folder := next((folder for folder in folders if file and path.is_relative_to(folder)), None):
            base = folder.parent if parents[folder.parent] > 1 else folder
            above[file] = [part for part in path.relative_to(base).parts[:-1] if not _NO_OUTLET.fullmatch(part)]
    while len({names[0] for names in above.values() if names}) == 1:
        above = {file: names[1:] for file, names in above.items()}
    outlets = {file: names[0] for file, names in above.items() if names}
    return outlets if len(set(outlets.values())) > 1 else {}


def is_closed(folder: Path) -> bool:
    """Whether it is a folder in which one may not look."""
    return folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK)


def _leads_away(folder: Path, top: Path) -> bool:
    """Whether it is a link to a folder that is not below `top`; those are not gone through, as they may lead in a circle."""
    return folder.is_symlink() and not _is_below(folder, top)


def _is_of_a_run(file: Path) -> bool:
    """Whether it is the run.json of scores, and not one of somebody else's."""
    return file.name == "run.json" and (file.parent / "sentences").is_dir()


def _is_left_out(file: Path, folder: Path, without: Path | None, results: Sequence[Path]) -> bool:
    if any(part.startswith(".") for part in file.relative_to(folder).parts):
        return True
    # What an earlier run wrote is no article.
    if any(file.is_relative_to(written) for written in results):
        return True
    return without is not None and _is_below(file, without)


def _is_below(file: Path, folder: Path) -> bool:
    # Path.resolve fails where links lead in a circle.
    return Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder))

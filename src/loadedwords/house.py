"""The house's rules: `.loadedwords.toml`, found upwards from a file."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from loadedwords.errors import DataError, OutputError
from loadedwords.files import written_whole
from loadedwords.schema import KINDS
from loadedwords.text.cleaning import clean_text
from loadedwords.text.marks import LONGEST, marked_in

HOUSE_FILE = ".loadedwords.toml"

# Of words that the house bans, and of those whose kind the model does not tell.
BANNED, UNTOLD = "banned", "other"
# Of the linter's list of stock wording, not of the model.
EUPHEMISM, HIDDEN_AGENT = "euphemism", "hidden-agent"
LINT_KINDS = (*KINDS, EUPHEMISM, HIDDEN_AGENT, BANNED, UNTOLD)

_OPENS = re.compile(r"(?<!\w)['‘](?=\w)")

Severity = Literal["note", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("note", "warning", "error")


class HouseError(DataError):
    """Rules that can't be read or make no sense; the message names file and key."""


@dataclass(frozen=True)
class Levels:
    """The probabilities from which a finding is shown at all, warns, and is an error."""

    note: float = 0.25
    warning: float = 0.55  # at most one plain sentence of news in 40 has one
    error: float = 0.75

    def severity(self, probability: float) -> Severity | None:
        reached: list[Severity] = [name for name in SEVERITIES if probability >= getattr(self, name)]
        return reached[-1] if reached else None


@dataclass(frozen=True)
class Ban:
    """A word that the house does not use, why, and what it writes instead."""

    word: str
    reason: str = ""
    instead: tuple[str, ...] = ()
    severity: Severity = "error"


@dataclass(frozen=True)
class House:
    """A house's rules.

    Attributes
    ----------
    file : Path or None
        Where they were read; globs are relative to its folder.
    accept, names : tuple of str
        Words that are never findings, in any case; names, only as they are written.
    bans : tuple of Ban
    off : tuple of str
        Kinds that are not reported, see `LINT_KINDS`.
    levels : Levels
    lint, leave : tuple of str
        Globs as in .gitignore: the files to lint, all if there is none, and those of them to leave.
    """

    file: Path | None = None
    accept: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    bans: tuple[Ban, ...] = ()
    off: tuple[str, ...] = ()
    levels: Levels = field(default_factory=Levels)
    lint: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("accept", "names", "off", "lint", "leave"):
            if isinstance(getattr(self, name), str):
                raise HouseError(f"{name} of a House is one string.\nPass a tuple of them.")
        if unknown := set(self.off) - set(LINT_KINDS):
            raise HouseError(
                f"{min(unknown)!r} is no kind that a House may have off.\nName some of {', '.join(LINT_KINDS)}."
            )

    def wants(self, file: Path) -> bool:
        """Whether a file is to be linted by its place."""
        import pathspec

        if self.file is None or not (self.lint or self.leave):
            return True
        folder, place = _resolved(self.file).parent, _resolved(file)
        if not place.is_relative_to(folder):
            return True
        name = place.relative_to(folder).as_posix()

        def matches(globs: tuple[str, ...]) -> bool:
            return pathspec.GitIgnoreSpec.from_lines(globs).match_file(name)

        return (not self.lint or matches(self.lint)) and not matches(self.leave)

    def accepted(self, text: str) -> list[tuple[int, int]]:
        """Where accepted words and names stand in a text."""
        found = [*_places(self.accept, text, re.IGNORECASE), *_places(self.names, text, re.NOFLAG)]
        return [span for _, span in found]

    def banned(self, text: str) -> list[tuple[Ban, tuple[int, int]]]:
        """Where banned words stand in a text; of two that overlap, the one that starts first, or else the longer."""
        by_word = {ban.word: ban for ban in self.bans}
        found = sorted(_places(by_word, text, re.IGNORECASE), key=lambda place: (place[1][0], -place[1][1]))
        kept: list[tuple[Ban, tuple[int, int]]] = []
        for word, (start, end) in found:
            if not kept or start >= kept[-1][1][1]:
                kept.append((by_word[word], (start, end)))
        return kept


def find_house(start: Path) -> Path | None:
    """The nearest house file, from the folder of `start`, or from `start` if it is one, upwards."""
    place = _resolved(start)
    folders = [place, *place.parents] if place.is_dir() else place.parents
    return next((file for folder in folders if (file := folder / HOUSE_FILE).is_file()), None)


def _resolved(place: Path) -> Path:
    """Where a path leads to; of links in a circle, where the link is."""
    try:
        return place.resolve()
    except (OSError, RuntimeError):  # up to Python 3.12 a RuntimeError
        return place.absolute()


def read_house(file: Path) -> House:
    """Read a house file.

    Raises
    ------
    HouseError
        If it is no TOML, or a key or a value is not one that is known.
    """
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise HouseError(f"{file} can't be read: {error}.\nIt is a TOML file of rules; see docs/lint.md.") from error
    _check_keys(file, "", table, ("accept", "names", "ban", "off", "levels", "files"))
    files = _table(file, "files", table.get("files", {}))
    _check_keys(file, "files.", files, ("lint", "leave"))
    off = _words(file, "off", table.get("off", []))
    if unknown := sorted(set(off) - set(LINT_KINDS)):
        raise _trouble(file, "off", f"names {', '.join(unknown)}", f"one of {', '.join(LINT_KINDS)}")
    bans = table.get("ban", [])
    if not isinstance(bans, list):
        raise _trouble(file, "ban", "is no list of tables", "[[ban]] with a word")
    return House(
        file,
        accept=_words(file, "accept", table.get("accept", [])),
        names=_words(file, "names", table.get("names", [])),
        bans=tuple(_ban(file, ban) for ban in bans),
        off=off,
        levels=_levels(file, _table(file, "levels", table.get("levels", {}))),
        lint=_words(file, "files.lint", files.get("lint", []), globs=True),
        leave=_words(file, "files.leave", files.get("leave", []), globs=True),
    )


def accept_words(words: Iterable[str], file: Path) -> list[str]:
    """Add words to those that a house file accepts, which is made if it isn't there; its comments stay.

    Returns
    -------
    list of str
        Those that were new.

    Raises
    ------
    HouseError
        If the file can't be read.
    OutputError
        If it can't be written, or is written in a way that a word can't safely be added to.
    """
    words = list(words)
    if empty := [word for word in words if not _is_word(word)]:
        raise HouseError(
            f"{empty[0]!r} is no word to accept.\nWrite one, such as regime, or regime* for all its endings."
        )
    known = read_house(file).accept if file.exists() else ()
    lowered = {word.casefold() for word in known}
    new = [word for word in dict.fromkeys(words) if word.casefold() not in lowered]
    if not new:
        return []
    old = file.read_bytes().decode("utf-8-sig") if file.exists() else ""  # line ends stay as they are
    listed = ", ".join(json.dumps(word, ensure_ascii=False) for word in new)
    written = _with_accepted(old, listed)
    try:
        if tomllib.loads(written) != {**tomllib.loads(old), "accept": [*new, *known]}:
            raise ValueError
        with written_whole(file) as beside:
            beside.write_bytes(written.encode())
    except ValueError:
        raise OutputError(f"{file} is written in a way that accept can't be added to.\nAdd by hand: {listed}") from None
    except OSError as error:
        raise OutputError(
            f"{file} can't be written: {error}.\nCheck the folder, or name another with --house."
        ) from error
    return new


def _with_accepted(toml: str, listed: str) -> str:
    """The file's text with more words: at the head of its list, or in a list above its first table."""
    top = re.search(r"^[ \t]*\[", toml, re.MULTILINE)
    there = re.search(r"^accept[ \t]*=[ \t]*\[", toml[: top.start()] if top else toml, re.MULTILINE)
    if there:
        rest = toml[there.end() :]
        return f"{toml[: there.end()]}{listed}{'' if rest.lstrip().startswith(']') else ', '}{rest}"
    at = top.start() if top else len(toml)
    gap = "" if not at or toml[:at].endswith("\n") else "\n"
    return f"{toml[:at]}{gap}accept = [{listed}]\n{toml[at:]}"


def _places(words: Iterable[str], text: str, flags: re.RegexFlag) -> list[tuple[str, tuple[int, int]]]:
    """Whole words with their possessive; a * at the end of one stands for any ending, a blank for any white space.

    They are looked for as the text reads, so that no ligature, soft hyphen, entity or mark of emphasis hides one.
    """
    listed = list(words)
    clean = clean_text(text) if listed else None
    return [
        (word, clean.to_original(match.start(), match.end() - _closes_marks(match)))
        for word in listed
        if clean
        for match in re.finditer(_pattern(word), clean.text, flags)
    ]


def _closes_marks(found: re.Match[str]) -> bool:
    """Whether the apostrophe behind a word closes marks, as in "the word ‘illegals’", and is no possessive."""
    text, end = found.string, found.end()
    if text[end - 1] not in "'’":
        return False
    near, far = max(0, end - LONGEST), min(len(text), end + LONGEST)
    start, stop = text.rfind("\n", near, end) + 1 or near, text.find("\n", end, far)
    opening = [match.start() for match in _OPENS.finditer(text, start, end)]
    bounds = [(start, stop if stop >= 0 else far)]
    return bool(opening) and any(marked.behind == end for marked in marked_in(text, opening[-1], bounds, 0))


def without_possessive(word: str) -> str:
    """What an accepted or banned word is found as, without the possessive that is found with it."""
    return re.sub("['’]s?$", "", word)


def _pattern(word: str) -> str:
    stem = word.strip().removesuffix("*")
    ending = r"\w*" if word.strip().endswith("*") else ""
    body = re.sub("['’]", "['’]", r"\s+".join(map(re.escape, stem.split())))
    return rf"(?<!\w){body}{ending}(?:['’]s?)?(?!\w)"


def _ban(file: Path, given: Any) -> Ban:
    table = _table(file, "ban", given)
    _check_keys(file, "ban.", table, tuple(item.name for item in fields(Ban)))
    word, reason, severity = (table.get(key, default) for key, default in (("word", ""), ("reason", ""), ("severity", "error")))  # fmt: skip
    if not isinstance(word, str) or not _is_word(word):
        raise _trouble(file, "ban.word", f"is {word!r}", "the word that is banned")
    if not isinstance(reason, str):
        raise _trouble(file, "ban.reason", f"is {reason!r}", "a sentence")
    if severity not in SEVERITIES:
        raise _trouble(file, "ban.severity", f"is {severity!r}", f"one of {', '.join(SEVERITIES)}")
    return Ban(word, reason, _words(file, "ban.instead", table.get("instead", [])), severity)


def _levels(file: Path, table: Mapping[str, Any]) -> Levels:
    _check_keys(file, "levels.", table, SEVERITIES)
    for key, value in table.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise _trouble(file, f"levels.{key}", f"is {value!r}", "a probability between 0 and 1")
    levels = Levels(**table)
    if not levels.note <= levels.warning <= levels.error:
        raise _trouble(file, "levels", "are not in order", "note <= warning <= error")
    return levels


def _words(file: Path, key: str, given: Any, *, globs: bool = False) -> tuple[str, ...]:
    wanted = 'a list of globs, for instance ["stories/**"]' if globs else 'a list of texts, for instance ["regime"]'
    if not isinstance(given, list) or not all(isinstance(word, str) and (globs or _is_word(word)) for word in given):
        raise _trouble(file, key, f"is {given!r}", wanted)
    return tuple(given)


def _is_word(word: str) -> bool:
    return bool(word.strip().removesuffix("*").strip())


def _table(file: Path, key: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise _trouble(file, key, f"is {given!r}", f"a table, [{key}]")
    return given


def _check_keys(file: Path, before: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    if unknown := [key for key in table if key not in known]:
        raise _trouble(file, before + unknown[0], "is no key that is known", f"one of {', '.join(known)}")


def _trouble(file: Path, key: str, what: str, wanted: str) -> HouseError:
    return HouseError(f"{file}: {key} {what}.\nWrite {wanted}.")

"""One outlet under several names: a table that the user edits. Nothing is merged that the table does not merge."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl

from loadedwords.errors import DataError
from loadedwords.outlets.tables import counts, read_edited, texts
from loadedwords.text.origins import VIA, named_in_byline

ALIASES_SCHEMA = {**texts("name", "outlet", "suggested", "why"), **counts("n_articles"), **texts("domains")}

_KIND = re.compile(r"\b(opinions?|editorial(?: board)?|guest|blogs?|latino|sports?|fact ?check|commentary)\b")
# What says only how, not what, an outlet publishes.
_CHANNEL = re.compile(r"\b(online|web|digital|website|newspaper|homepage|news)\b")
_DOMAIN = re.compile(
    r"^(?:https?://)?(?:www\d?\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)*)\.(?:com|org|net|co\.uk|io|gov|edu|news|us|tv)\b"
)
# A share of a name's addresses below this says nothing: syndicated pieces lie anywhere.
_DOMAIN_SHARE = 0.5
# A domain of more unlike names, none of which has so much of it, is a platform that publishes several outlets.
_NAMES_AT_A_DOMAIN = 3
_OF_A_DOMAIN = 0.4

Suggested = dict[str, tuple[str, str]]  # name → the outlet that it may mean, and why


def suggest_aliases(articles: pl.DataFrame) -> pl.DataFrame:
    """Names that may mean one outlet, as a table to edit.

    Two names are brought together where they are the same but for case, "The", brackets, "Online", "News" or a web
    ending, where one is a piece republished "via" the other, or where one is the domain that most articles of the other come from. Desks that publish opinion are not
    brought together with the news. The column `outlet`, which n_articles, is filled with the name itself: copy a
    suggestion there to accept it.

    Parameters
    ----------
    articles : DataFrame
        The articles table, with `outlet` and, where known, `url`.

    Returns
    -------
    DataFrame
        One row for every name, those with a suggestion first: name, outlet (the same), suggested (the commonest name
        of its group; null where there is nothing to suggest), why, n_articles, domains (the commonest ones).

    Examples
    --------
    >>> articles = pl.DataFrame({"outlet": ["The Ledger"] * 2 + ["Ledger (Online)", "Ledger Opinion"]})
    >>> suggest_aliases(articles).select("name", "suggested").rows()[0]
    ('Ledger (Online)', 'The Ledger')
    """
    named = articles.filter(pl.col("outlet").is_not_null() & (pl.col("outlet") != ""))
    n_articles = Counter(named["outlet"].to_list())
    domains: dict[str, Counter[str]] = defaultdict(Counter)
    if "url" in named.columns:
        for outlet, url in named.select("outlet", "url").iter_rows():
            if domain := _domain(url):
                domains[outlet][domain] += 1
    for name, seen in domains.items():  # so that the order of articles does not tell where domains are equally common
        domains[name] = Counter(dict(sorted(seen.items())))
    suggested = _by_spelling(n_articles) | _by_republication(n_articles)
    _suggest_by_domain(n_articles, domains, suggested)
    _follow(suggested, n_articles)
    rows = []
    for name, n in n_articles.items():
        goal, why = suggested.get(name, (None, None))
        commonest = " ".join(domain for domain, _ in domains[name].most_common(3)) or None
        rows.append((name, name, goal, why, n, commonest))
    return pl.DataFrame(rows, schema=ALIASES_SCHEMA, orient="row").sort(
        [pl.col("suggested").is_null(), "suggested", "name"], nulls_last=True
    )


def read_aliases(file: Path) -> dict[str, str]:
    """Names → outlets, of a table as `suggest_aliases` gives it after somebody has edited it.

    Only its columns `name` and `outlet` are read; an empty outlet leaves the name as it is.

    Raises
    ------
    DataError
        If a column is missing, a name has two outlets, or an outlet is itself a name of another outlet.
    """
    header, rows = read_edited(file)
    if not {"name", "outlet"} <= set(header):
        raise DataError(
            f"{file}: an alias table has the columns name and outlet; found {', '.join(header) or 'nothing'}.\n"
            "loadedwords aliases writes one."
        )
    aliases: dict[str, str] = {}
    for number, fields in enumerate(rows, start=2):
        row = dict(zip(header, fields, strict=True))
        name, outlet = row["name"].strip(), row["outlet"].strip()
        if not name or not outlet:
            continue
        if aliases.setdefault(name, outlet) != outlet:
            raise DataError(
                f"{file}, record {number}: {name!r} is given to {outlet!r}, and above to {aliases[name]!r}.\nKeep one."
            )
    for name, outlet in aliases.items():
        if aliases.get(outlet, outlet) != outlet:
            raise DataError(
                f"{file}: {name!r} goes to {outlet!r}, which itself goes to {aliases[outlet]!r}.\nGive {name!r} to the last one."
            )
    return aliases


def apply_aliases(articles: pl.DataFrame, aliases: dict[str, str]) -> pl.DataFrame:
    """The articles under their outlets' names; what the input said, and where a republished piece is from, stay beside.

    Two columns more: outlet_as_found, and original_source (whose work scoring found it to be, or the agency or paper
    that a byline such as "By X via Y" names; null where there is none or it is the outlet itself).
    """
    column = pl.col("outlet")
    renamed = articles.with_columns(outlet_as_found=column, outlet=column.replace(aliases) if aliases else column)
    origins, bylines = (
        renamed[column].to_list() if column in renamed.columns else [None] * renamed.height
        for column in ("origin", "byline")
    )
    sources = [
        origin or _original(byline, aliases) or (_original(name, aliases) if name and VIA.search(name) else None)
        for origin, byline, name in zip(origins, bylines, renamed["outlet_as_found"].to_list(), strict=True)
    ]
    others = [
        None if source is None or (outlet and _bare(source) == _bare(outlet)) else source
        for source, outlet in zip(sources, renamed["outlet"].to_list(), strict=True)
    ]
    return renamed.with_columns(original_source=pl.Series(others, dtype=pl.String))


def _by_spelling(n_articles: Counter[str]) -> Suggested:
    """Names that differ only in how they are written."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in sorted(n_articles):
        groups[_key(name)].append(name)
    suggested: Suggested = {}
    for names in groups.values():
        best = _commonest(names, n_articles)
        why = f"the same name as {best!r} but for how it is written"
        suggested |= {name: (best, why) for name in names if name != best}
    return suggested


def _by_republication(n_articles: Counter[str]) -> Suggested:
    """Names that say whose piece somebody republished."""
    suggested: Suggested = {}
    for name in n_articles:
        if via := VIA.search(name):
            said = via["who"].strip(" .")
            written = [other for other in sorted(n_articles) if other != name and _bare(other) == _bare(said)]
            who = max(written, key=lambda other: n_articles[other], default=said)
            suggested[name] = (who, f"a piece republished from {who!r}, if {who!r} is whom to hold it against")
    return suggested


def _commonest(names: Iterable[str], n_articles: Counter[str]) -> str:
    return max(names, key=lambda name: (n_articles[name], name))


def _suggest_by_domain(n_articles: Counter[str], domains: dict[str, Counter[str]], suggested: Suggested) -> None:
    """Names most of whose articles lie at the same domain, and names that are a domain."""
    at: dict[str, list[str]] = defaultdict(list)
    for name, seen in domains.items():
        domain, n = seen.most_common(1)[0]
        # A name that is a byline of republications does not say whose the domain is.
        if n >= _DOMAIN_SHARE * sum(seen.values()) and not VIA.search(name):
            at[domain].append(name)
    for name in n_articles:
        if (own := _domain(name)) and name not in at[own]:
            at[own].append(name)
    for domain, names in sorted(at.items()):
        for kind in {_desk(name) for name in names}:
            alike = [name for name in names if _desk(name) == kind]
            by_key: Counter[tuple[str, ...]] = Counter()
            for name in alike:
                by_key[_key(name)] += n_articles[name]
            if len(by_key) > _NAMES_AT_A_DOMAIN and max(by_key.values()) < _OF_A_DOMAIN * by_key.total():
                continue
            best = _commonest(alike, n_articles)
            for name in alike:
                if name != best and name not in suggested and suggested.get(best, (None,))[0] != name:
                    suggested[name] = (
                        suggested.get(best, (best,))[0],
                        f"most of its articles lie at {domain}, as those of {best!r}",
                    )


def _follow(suggested: Suggested, n_articles: Counter[str]) -> None:
    """Suggestions lead to where theirs lead: `read_aliases` refuses a table that goes from name to name to name."""

    def end(name: str) -> str:
        goal, seen = suggested[name][0], {name}
        while goal in suggested and goal not in seen:
            seen.add(goal)
            goal = suggested[goal][0]
        return goal

    # A circle ends at its commonest name.
    for name in sorted(suggested, key=lambda name: (-n_articles[name], name)):
        if end(name) == name:
            del suggested[name]
    for name, (first, why) in list(suggested.items()):
        if (goal := end(name)) != first:
            suggested[name] = (goal, f"{why}, and that goes to {goal!r}")


def _key(name: str) -> tuple[str, ...]:
    """A name without what tells only of channels; names with the same key may be one outlet."""
    lowered = unicodedata.normalize("NFKC", name).casefold().replace("’", "'")
    if domain := _DOMAIN.match(lowered):
        # Words are written together here: thedaleledger, foxnews.
        label = domain[1].rsplit(".", 1)[-1]
        lowered = re.sub(r"^the(?=\w)|(?<=\w)(?:online|news)$", "", label) or label
    kind = _desk(name)
    plain = re.sub(r"[^\w' ]+", " ", _KIND.sub(" ", lowered))
    core = _CHANNEL.sub(" ", plain).split()
    # "News Online" alone is nothing but channels: then they are the name.
    words = core or plain.split()
    joined = "".join(word for word in words if word not in ("the", "com"))
    return (joined if joined or kind else lowered, kind)


def _bare(name: str) -> str:
    return re.sub(r"^the\s+", "", name.strip().casefold())


def _desk(name: str) -> str:
    found = _KIND.search(name.casefold())
    return found[1].rstrip("s") if found else ""


def _domain(url: str | None) -> str | None:
    if not url or "." not in url or " " in url.strip():
        return None
    try:
        host = (urlsplit(url if "//" in url else f"//{url}").hostname or "").casefold()
    except ValueError:  # brackets that hold no IPv6 address
        return None
    return re.sub(r"^www\d?\.", "", host) or None


def _original(byline: str | None, aliases: dict[str, str]) -> str | None:
    who = named_in_byline(byline)
    return None if who is None else aliases.get(who, who)

"""One outlet under several names: suggested, never merged, and both ends of a republication kept."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadedwords.errors import DataError
from loadedwords.outlets.aliases import apply_aliases, read_aliases, suggest_aliases


def named(*outlets: str | None, urls: list[str | None] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {"outlet": list(outlets), "url": urls or [None] * len(outlets)},
        schema={"outlet": pl.String, "url": pl.String},
    )


def suggestions(articles: pl.DataFrame) -> dict[str, str]:
    return dict(suggest_aliases(articles).drop_nulls("suggested").select("name", "suggested").iter_rows())


def test_ways_to_write_one_name_are_brought_together() -> None:
    names = ["Fox News"] * 3 + ["Fox Online News", "Fox News (Online)", "FOX NEWS", "foxnews.com", "The Fox News"]
    found = suggestions(named(*names))
    assert found == dict.fromkeys(["Fox Online News", "Fox News (Online)", "FOX NEWS", "The Fox News"], "Fox News")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Fox News", "Fox Business"),
        ("New York Times", "New York Post"),
        ("Ledger", "Ledger Opinion"),
        ("Ledger Editorial", "Ledger Opinion"),
        ("Reuters", "Reuters Blog"),
        ("The Week - News", "The Week - Opinion"),
        ("Morning Star", "Morning Sun"),
    ],
)
def test_families_stay_apart(one: str, other: str) -> None:
    assert suggestions(named(one, one, other)) == {}


def test_a_domain_goes_to_the_outlet_whose_articles_lie_there() -> None:
    urls = ["https://www.ledger.com/a", "https://ledger.com/b", None]
    found = suggestions(named("Dale Ledger", "Dale Ledger", "ledger.com", urls=urls))
    assert found == {"ledger.com": "Dale Ledger"}
    table = suggest_aliases(named("Dale Ledger", "Dale Ledger", "ledger.com", urls=urls))
    assert table.filter(pl.col("name") == "Dale Ledger")["domains"].to_list() == ["ledger.com"]


def test_articles_strewn_over_domains_say_nothing() -> None:
    urls = [f"https://{host}.com/x" for host in ("a", "b", "c", "a", "a")]
    assert suggestions(named("Wire", "Wire", "Wire", "Post", "Post", urls=urls)) == {}


def test_a_platform_is_no_outlet() -> None:
    names = ["Wire", "Post", "Courier", "Blare"]
    assert suggestions(named(*names, urls=["https://platform.org/x"] * 4)) == {}


def test_republications_keep_publisher_and_source() -> None:
    articles = named("Dale Ledger", "Dale Ledger", "By Kim Oz via Hill Post", "Dale Ledger").with_columns(
        byline=pl.Series(["By Ann Lee via Meridian Wire", "Ann Lee, Associated Press", None, "Ann Lee"])
    )
    assert suggestions(articles) == {"By Kim Oz via Hill Post": "Hill Post"}
    applied = apply_aliases(articles, {"By Kim Oz via Hill Post": "Kim Oz", "Meridian Wire": "The Wire"})
    assert applied["outlet"].to_list() == ["Dale Ledger", "Dale Ledger", "Kim Oz", "Dale Ledger"]
    assert applied["outlet_as_found"].to_list() == articles["outlet"].to_list()
    assert applied["original_source"].to_list() == ["The Wire", "Associated Press", "Hill Post", None]


def test_an_outlet_is_not_the_source_of_itself() -> None:
    articles = named("Associated Press").with_columns(byline=pl.Series(["By The Associated Press"]))
    assert apply_aliases(articles, {})["original_source"].to_list() == [None]


@given(
    st.lists(st.sampled_from(["Ledger", "The Ledger", "Ledger Online", "ledger.com", "Post", None, ""]), max_size=12)
)
def test_a_suggestion_merges_nothing(outlets: list[str | None]) -> None:
    """The table as it is written changes no name when it is read back."""
    table = suggest_aliases(named(*outlets))
    assert (table["outlet"] == table["name"]).all()
    assert sorted(table["name"]) == sorted({name for name in outlets if name})
    assert table["n_articles"].sum() == sum(1 for name in outlets if name)
    aliases = dict(table.select("name", "outlet").iter_rows())
    assert apply_aliases(named(*outlets), aliases)["outlet"].to_list() == outlets
    # Whoever accepts all of them ends at names that go nowhere else.
    accepted = dict(table.select("name", pl.coalesce("suggested", "outlet")).iter_rows())
    assert all(accepted.get(goal, goal) == goal for goal in accepted.values())


def test_an_edited_table_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "aliases.csv"
    file.write_text(
        '\ufeffname,outlet,why\nLedger Online,The Ledger,x\n"Ledger, Dale",The Ledger,\nPost,,\n  Hill  , Hill Post ,\n',
        encoding="utf-8",
    )
    aliases = read_aliases(file)
    assert aliases == {"Ledger Online": "The Ledger", "Ledger, Dale": "The Ledger", "Hill": "Hill Post"}
    renamed = apply_aliases(named("Ledger Online", "Post", None), aliases)["outlet"].to_list()
    assert renamed == ["The Ledger", "Post", None]


def test_a_table_saved_with_semicolons_is_read(tmp_path: Path) -> None:
    file = tmp_path / "aliases.csv"
    file.write_text("name;outlet;why\nLedger Online;The Ledger;same\n", encoding="utf-8")
    assert read_aliases(file) == {"Ledger Online": "The Ledger"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("label,outlet\nA,B\n", "columns name and outlet; found label, outlet"),
        ("", "columns name and outlet; found nothing"),
        ("name,outlet\nA\n", "record 2 has 1 fields"),
        ("name,outlet\nA,B\nA,C\n", "record 3: 'A' is given to 'C', and above to 'B'"),
        ("name,outlet\nA,B\nB,C\n", "'A' goes to 'B', which itself goes to 'C'"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "aliases.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=complaint):
        read_aliases(file)


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "aliases.csv"
    file.write_bytes(b"name,outlet\n\xff\xfe,\x00\n")
    with pytest.raises(DataError, match="UTF-8"):
        read_aliases(file)

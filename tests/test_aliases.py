"""One outlet under several names: suggested, never merged, and both ends of a republication kept."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

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
    assert found == dict.fromkeys(
        ["Fox Online News", "Fox News (Online)", "FOX NEWS", "foxnews.com", "The Fox News"], "Fox News"
    )


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
        ("Вести", "Труд"),
        ("???", "!!!"),
        ("The", "—"),
        ("foxnews.com", "foxbusiness.com"),
    ],
)
def test_families_stay_apart(one: str, other: str) -> None:
    assert suggestions(named(one, one, other)) == {}


def test_one_name_in_other_letters() -> None:
    assert suggestions(named("Süd-Bote", "Süd-Bote", "Su\u0308d Bote")) == {"Su\u0308d Bote": "Süd-Bote"}
    assert suggestions(named("Вести", "Вести", "ВЕСТИ")) == {"ВЕСТИ": "Вести"}


def test_a_domain_is_a_name_written_together() -> None:
    found = suggestions(named("The Hill Post", "The Hill Post", "www.thehillpost.com", "hillpost.co.uk"))
    assert found == dict.fromkeys(["www.thehillpost.com", "hillpost.co.uk"], "The Hill Post")


def test_names_and_addresses_that_are_none() -> None:
    articles = named("[unknown].x", "Ledger", "Ledger", urls=["http://[bad.com/x", "", "no address"])
    table = suggest_aliases(articles)
    assert table.height == 2
    assert table["domains"].null_count() == 2
    assert suggest_aliases(named()).height == 0
    assert suggest_aliases(named(None, "")).height == 0
    assert suggest_aliases(pl.DataFrame({"outlet": ["Ledger"]}))["name"].to_list() == ["Ledger"]


def test_suggestions_lead_to_the_end(tmp_path: Path) -> None:
    """All may be accepted as they are: no name goes to one that itself goes elsewhere."""
    names = ["Ledger"] * 2 + ["The Ledger"] + ["Dale Ledger"] * 3 + ["By Kim Oz via Ledger"]
    table = suggest_aliases(named(*names, urls=["https://ledger.com/x"] * 6 + [None]))
    accepted = table.drop_nulls("suggested")
    assert dict(accepted.select("name", "suggested").iter_rows()) == dict.fromkeys(
        ["Ledger", "The Ledger", "By Kim Oz via Ledger"], "Dale Ledger"
    )
    assert "goes to 'Dale Ledger'" in accepted.filter(pl.col("name") == "The Ledger")["why"].item()
    file = tmp_path / "aliases.csv"
    table.with_columns(outlet=pl.coalesce("suggested", "outlet")).write_csv(file)
    assert apply_aliases(named(*names), read_aliases(file))["outlet"].unique().to_list() == ["Dale Ledger"]


def test_republications_do_not_say_whose_a_domain_is() -> None:
    names = ["Ledger"] * 2 + ["Kim Oz via Post"] * 3
    assert suggestions(named(*names, urls=["https://ledger.com/x"] * 5)) == {"Kim Oz via Post": "Post"}


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


@pytest.mark.parametrize(
    ("byline", "source"),
    [
        ("By The Associated Press", "Associated Press"),
        ("The Associated Press", "Associated Press"),
        ("BY AP", "Associated Press"),
        ("Ann Lee and Reuters", "Reuters"),
        ("By Ann Lee; AFP", "Agence France-Presse"),
        ("Ann Lee via the AP", "Associated Press"),
        ("By Ann Lee via The Hill Post.", "The Hill Post"),
        ("Ann Lee, republished from the Hill Post (updated)", "Hill Post"),
        ("By Ann Apple", None),
        ("By Viana Lee", None),
        ("", None),
        (None, None),
    ],
)
def test_where_a_byline_says_that_a_piece_is_from(byline: str | None, source: str | None) -> None:
    articles = named("Dale Ledger").with_columns(byline=pl.Series([byline], dtype=pl.String))
    assert apply_aliases(articles, {})["original_source"].to_list() == [source]


def test_an_outlet_is_not_the_source_of_itself() -> None:
    bylines = ["By The Associated Press", "Kim Oz via The Hill Post", "Kim Oz via the Hill Post", "Kim Oz via HP"]
    outlets = ["Associated Press", "The Hill Post", "The Hill Post", "The Hill Post"]
    articles = named(*outlets).with_columns(byline=pl.Series(bylines))
    assert apply_aliases(articles, {"HP": "The Hill Post"})["original_source"].to_list() == [None] * 4
    # Nobody's article has a source nevertheless.
    nobodys = named(None).with_columns(byline=pl.Series(bylines[:1]))
    assert apply_aliases(nobodys, {})["original_source"].to_list() == ["Associated Press"]


def test_a_republication_is_suggested_under_the_name_in_the_table() -> None:
    found = suggestions(named("The Hill Post", "The Hill Post", "By Kim Oz via the Hill Post"))
    assert found == {"By Kim Oz via the Hill Post": "The Hill Post"}


NAMES = [
    "Ledger",
    "The Ledger",
    "Ledger Online",
    "ledger.com",
    "Post",
    "Hill Post",
    "Kim via Post",
    "Ann via the Ledger",
]
URLS = ["https://ledger.com/a", "https://post.com/b", "http://ledger.com", None]


@given(st.lists(st.tuples(st.sampled_from([*NAMES, None, ""]), st.sampled_from(URLS)), max_size=16))
def test_a_suggestion_merges_nothing(found: list[tuple[str | None, str | None]]) -> None:
    """The table as it is written changes no name when it is read back."""
    outlets, urls = [name for name, _ in found], [url for _, url in found]
    table = suggest_aliases(named(*outlets, urls=urls))
    assert (table["outlet"] == table["name"]).all()
    assert sorted(table["name"]) == sorted({name for name in outlets if name})
    assert table["n_articles"].sum() == sum(1 for name in outlets if name)
    aliases = dict(table.select("name", "outlet").iter_rows())
    assert apply_aliases(named(*outlets), aliases)["outlet"].to_list() == outlets
    # Whoever accepts all of them ends at names that go nowhere else.
    accepted = dict(table.select("name", pl.coalesce("suggested", "outlet")).iter_rows())
    assert all(accepted.get(goal, goal) == goal for goal in accepted.values())
    assert_frame_equal(suggest_aliases(named(*outlets[::-1], urls=urls[::-1])), table)


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


@pytest.mark.parametrize("mark", [";", "\t", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_table_saved_by_a_spreadsheet_is_read(mark: str, encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "aliases.csv"
    lines = ["name,outlet,why", "Вести Online,Вести,same", "Süd,Süd-Bote,"]
    file.write_bytes("\r\n".join(line.replace(",", mark) for line in lines).encode(encoding))
    assert read_aliases(file) == {"Вести Online": "Вести", "Süd": "Süd-Bote"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("label,outlet\nA,B\n", "columns name and outlet; found label, outlet"),
        ("", "columns name and outlet; found nothing"),
        ("name,outlet\nA\n", "record 2 has 1 fields"),
        ("name,outlet\n\nA,B\n\nC\n", "record 3 has 1 fields"),  # blank lines are no records
        ("name,outlet\nA,B\n\nA,C\n", "record 3: 'A' is given to 'C', and above to 'B'"),
        ("name,outlet\nA,B\nB,C\n", "'A' goes to 'B', which itself goes to 'C'.\nGive 'A' to the last one"),
        ("name,outlet\nA,B\nB,A\n", "'A' goes to 'B', which itself goes to 'A'"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "aliases.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=complaint) as refused:
        read_aliases(file)
    what, to_do = str(refused.value).split("\n")
    assert what.startswith(str(file)), "it says where"
    assert to_do


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "aliases.csv"
    file.write_bytes(b"name,outlet\n\xff\xfe,\x00\n")
    with pytest.raises(DataError, match="UTF-8"):
        read_aliases(file)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(DataError, match="can't be read"):
            read_aliases(place)

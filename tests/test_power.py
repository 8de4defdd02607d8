"""What a number of articles can show: by textbook figures, by the spread of a pilot, and by the command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from scipy.stats import chi2

from loadedwords.cli import main
from loadedwords.errors import DataError
from loadedwords.outlets.differences import compare_pairs
from loadedwords.outlets.power import plan, spread_of_articles


def articles(shares: dict[str, list[float]]) -> pl.DataFrame:
    rows = [(outlet, share) for outlet, of in shares.items() for share in of]
    frame = pl.DataFrame(rows, schema=["outlet", "loaded_share"], orient="row")
    counts = dict.fromkeys(("n_own", "n_sentences", "n_quoted", "n_words", "n_loaded_words"), 20)
    return frame.with_columns(pl.lit(value).alias(name) for name, value in counts.items())


def test_plans_are_those_of_the_textbook() -> None:
    # Cohen (1988), table 2.4.1: two means half a standard deviation apart, 0.05 two-sided, power 0.80: 64 each.
    assert plan([0.05], spread=0.1)[0].articles == 64
    assert plan([0.08], spread=0.1)[0].articles == 26
    assert plan([0.02], spread=0.1)[0].articles == 394
    assert plan([0.05], spread=0.1, power=0.9)[0].articles == 86
    many, few = plan([0.05, 0.1], n_outlets=20)
    assert many.articles > plan([0.05])[0].articles
    assert many.articles > few.articles
    assert many.labels > many.articles, "a label says less than an article"
    # 32 labels for each article, or the sentences run out: then more articles, not fewer labels.
    (short,) = plan([0.05], sentences=8)
    assert short.articles_for_labels == -(-short.labels // 8) > 2 * short.articles
    assert plan([0.05], sentences=1000)[0].articles_for_labels == 2 * short.articles
    assert plan([0.5], spread=0.1)[0].articles == 10, "outlets with fewer are not compared"
    # A tenth of the difference asks for a hundred times as much, however much that is.
    small, tenth = plan([0.001, 0.0001], spread=0.9)
    assert small.articles > 10_000_000
    assert tenth.articles == pytest.approx(100 * small.articles, rel=1e-4)
    assert tenth.articles_for_labels == 2 * tenth.articles
    # Of very many pairs, a handful of articles each would have to show more than Student's t of so few allows.
    assert 2 < plan([0.9], spread=0.1, n_outlets=10_000)[0].articles < 100


@pytest.mark.parametrize("wrong", [{"spread": 0}, {"share": 1}, {"n_outlets": 1}, {"level": 1}, {"power": 0}])
def test_what_can_not_be_planned_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DataError, match="lie between"):
        plan([0.05], **wrong)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="difference of 2"):
        plan([2.0])


def test_the_spread_of_a_pilot_is_its_upper_limit() -> None:
    a, b = [0.1, 0.2, 0.3, 0.2], [0.5, 0.5, 0.8]
    squares = 3 * np.var(a, ddof=1) + 2 * np.var(b, ddof=1)
    assert spread_of_articles(articles({"A": a, "B": b})) == pytest.approx(np.sqrt(squares / chi2.ppf(0.2, 5)))
    assert spread_of_articles(articles({"A": a, "B": b, "alone": [0.9]})) == spread_of_articles(
        articles({"A": a, "B": b})
    )
    nobodys = pl.concat([articles({"A": a, "B": b}), articles({"": [0.0, 1.0, 0.0, 1.0]})])
    nobodys = nobodys.with_columns(outlet=pl.col("outlet").replace({"": None}))
    assert spread_of_articles(nobodys) == spread_of_articles(articles({"A": a, "B": b}))
    with pytest.raises(DataError, match="voice is 'x'"):
        spread_of_articles(nobodys, "x")  # type: ignore[arg-type]
    for nothing in (articles({"A": [0.1], "B": [0.2]}), articles({"A": a}).with_columns(event_id=pl.lit("one"))):
        with pytest.raises(DataError, match="No outlet has two articles"):
            spread_of_articles(nothing)
    # Two events of two articles each, as far apart: half of the freedom, and an article says less.
    events = articles({"A": [0.1, 0.1, 0.4, 0.4]})
    assert spread_of_articles(events.with_columns(event_id=pl.Series(list("xxyy")))) > spread_of_articles(events)


def test_a_pair_tells_what_it_could_have_shown() -> None:
    rng = np.random.default_rng(0)
    shares = {name: (0.3 + 0.1 * rng.standard_normal(64)).clip(0, 1).tolist() for name in "AB"}
    (pair,) = compare_pairs(articles(shares)).to_dicts()
    assert pair["detectable"] == pytest.approx(0.05, abs=0.007), "as 64 articles each are planned for 0.05"
    few = compare_pairs(articles({"A": [0.0, 1.0, 0.5], "B": [0.2, 1.0, 0.0]}), min_articles=3)["detectable"]
    assert few.to_list() == [1.0], "shares differ by no more"
    more = compare_pairs(articles({**shares, "C": shares["A"]}))["detectable"]
    assert more.min() > pair["detectable"], "more pairs, more to show"  # type: ignore[operator]


def test_the_command_takes_a_pilot_or_ordinary_news(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["plan", "--difference", "0.05", "--spread", "0.1"])
    assert shown.exit_code == 0
    assert "0.050             64" in shown.output
    assert "have about 30 sentences, 0.20 of them loaded (as in ordinary news)" in shown.output
    assert "as in ordinary news" in CliRunner().invoke(main, ["plan"]).output
    (tmp_path / "articles").mkdir()
    pilot = articles({"A": [0.1, 0.2, 0.3], "B": [0.2, 0.4, 0.6]}).with_columns(
        article_id=pl.format("a{}", pl.int_range(pl.len())), n_quoted_words=0, n_loaded_quoted_words=0,
        loaded_share_all="loaded_share", loaded_share_quoted="loaded_share", n_titles=0,
    )  # fmt: skip
    pilot.with_columns(outlet=pl.format("{} {}", "outlet", pl.int_range(pl.len()) // 2 % 2)).write_parquet(
        tmp_path / "articles" / "part-00000.parquet"
    )
    assert CliRunner().invoke(main, ["plan", str(tmp_path)]).output.startswith("4 outlets, ")
    assert CliRunner().invoke(main, ["plan"]).output.startswith("2 outlets, ")
    shown = CliRunner().invoke(main, ["plan", str(tmp_path), "--outlets", "5"])
    assert shown.output.startswith("5 outlets, ")
    assert "from 6 articles" in shown.output, shown.output

"""Tables of polars, pandas, pyarrow and datasets go in and come out."""

from __future__ import annotations

import pickle
from typing import Any

import datasets
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import loadedwords
from loadedwords.articles.frames import read_table
from loadedwords.errors import DataError
from loadedwords.schema import Article
from loadedwords.scoring import FramingModel

COLUMNS: dict[str, list[Any]] = {
    "Body": ["The regime's shameless puppet sneered.", "The council met on Tuesday.", None],
    "outlet": ["Wire", None, "Wire"],
    "published": ["2024-05-01", "soon", None],
}
MAKE = {
    "polars": pl.DataFrame,
    "lazy": pl.LazyFrame,
    "pandas": pd.DataFrame,
    "pyarrow": pa.table,
    "record batch": pa.record_batch,
    "datasets": datasets.Dataset.from_dict,
}


@pytest.fixture(scope="module")
def linear() -> FramingModel:
    return loadedwords.load_model("linear")


@pytest.mark.parametrize("kind", MAKE)
def test_a_table_is_scored_row_by_row(kind: str, linear: FramingModel) -> None:
    scored = list(loadedwords.score_articles(MAKE[kind](COLUMNS), model=linear))
    assert [each.article.id for each in scored] == ["1", "2", "table:3"]
    assert [each.outlet for each in scored] == ["Wire", None, "Wire"]
    assert [str(each.article.date) for each in scored] == ["2024-05-01", "None", "None"]
    assert [each.status for each in scored] == ["ok", "ok", "error"]
    assert "the text is null" in scored[2].message
    assert "soon" in scored[1].message
    with pytest.raises(DataError, match="no text column"):
        loadedwords.score_articles(MAKE[kind]({"copy": ["x"]}), model=linear)


def test_a_dataset_of_splits_is_asked_for_one_of_them(linear: FramingModel) -> None:
    splits = datasets.DatasetDict(train=datasets.Dataset.from_dict(COLUMNS))
    with pytest.raises(DataError, match=r"(?s)splits: train\..*Pass one of them"):
        loadedwords.score_articles(splits, model=linear)


@pytest.mark.parametrize("form", ["numpy", "torch", "arrow", "pandas", "polars"])
def test_a_dataset_is_read_alike_whatever_its_format(form: str, linear: FramingModel) -> None:
    if form == "torch":
        pytest.importorskip("torch")
    bare = datasets.Dataset.from_dict({"id": [7, 8], "text": COLUMNS["Body"][:2], "year": [2024, 2025]})
    formed = bare.with_format(form)
    for asked, expected in ((formed, bare), (formed.to_iterable_dataset(), bare.to_iterable_dataset())):
        assert list(read_table(asked)) == list(read_table(expected))
    if form in ("numpy", "torch"):
        got = formed.map(linear.score_columns, batched=True).with_format(None)["loaded_share"][:]
        assert got == bare.map(linear.score_columns, batched=True)["loaded_share"][:]
    else:
        with pytest.raises(DataError, match=r"with_format\(None\)"):
            formed.map(linear.score_columns, batched=True)


def test_what_a_function_makes_of_a_datasets_rows_is_read() -> None:
    made = datasets.Dataset.from_dict({"text": ["met"]}).with_transform(
        lambda rows: {"text": [f"One {text}." for text in rows["text"]]}
    )
    assert [getattr(item, "text", item) for item in read_table(made)] == ["One met."]


def test_a_row_without_a_text_keeps_its_id_and_outlet(linear: FramingModel) -> None:
    half = {"text": ["One met.", None, None, "x" * 1_000_001], "id": ["a", "b", None, "1"], "outlet": [*"ABCD"]}
    scored = list(linear.score_articles(pl.DataFrame(half)))
    assert [(s.article.id, s.outlet, s.article.source) for s in scored] == [
        ("a", "A", "table:1"),
        ("b", "B", "table:2"),
        ("table:3", "C", "table:3"),
        ("1", "D", "table:4"),
    ]
    assert "ReadOptions(max_characters=...)" in scored[3].message
    (misread,) = linear.score_articles(pd.DataFrame({"text": ["One met."], "outlet": ["\ud800"]}, dtype=object))
    assert misread.outlet is None
    assert len(loadedwords.to_polars([*scored, misread])) == 5


def test_a_row_without_an_id_takes_none_of_another_row(linear: FramingModel) -> None:
    table = pl.DataFrame({"text": ["One met.", "Two met."], "id": ["2", None]})
    assert [s.article.id for s in linear.score_articles(table)] == ["2", "table:2"]


def test_pandas_ways_of_saying_nothing(linear: FramingModel) -> None:
    frame = pd.DataFrame({"text": ["One met.", pd.NA], "outlet": [float("nan"), "W"], "date": [pd.NaT, pd.NaT]})
    first, second = loadedwords.score_articles(frame, model=linear)
    assert (first.outlet, first.article.date, second.status) == (None, None, "error")


@pytest.mark.parametrize("kind", MAKE)
def test_dates_and_columns_of_a_table_are_read_as_those_of_a_file(kind: str) -> None:
    table = {"text": ["One met.", "Two met."], "date": ["13/06/2018", "07/06/2018"]}
    dates = [article.date for article in read_table(MAKE[kind](table)) if isinstance(article, Article)]
    assert [str(date) for date in dates] == ["2018-06-13", "2018-06-07"]
    odd = {"text": ["One met."], "collect": ["x"], "iter_rows": ["y"], "column_names": ["z"], "to_batches": ["a"]}
    (article,) = read_table(MAKE[kind](odd))
    assert isinstance(article, Article)
    assert article.text == "One met."


def test_a_dataset_that_streams_may_not_know_its_columns() -> None:
    streaming = datasets.Dataset.from_dict({"text": ["One met."]}).to_iterable_dataset().map(dict)
    assert streaming.column_names is None
    (article,) = read_table(streaming)
    assert isinstance(article, Article)
    assert article.text == "One met."


@pytest.mark.parametrize("of", ["articles", "sentences", "words"])
def test_what_was_scored_comes_out_as_a_table(of: Any, linear: FramingModel) -> None:
    scored = list(loadedwords.score_articles(COLUMNS["Body"][:2], model=linear))
    frame = loadedwords.to_polars(scored, of)
    assert len(frame) == {"articles": 2, "sentences": 2, "words": len(scored[0].sentences[0].words)}[of] > 0
    assert frame.columns == loadedwords.to_pandas(iter(scored), of).columns.tolist()
    if of == "words":
        places = frame.select("start", "end", "text").rows()
        assert all(COLUMNS["Body"][0][start:end] == text for start, end, text in places)
    assert len(loadedwords.to_polars([], of)) == 0
    assert len(loadedwords.to_polars(scored[0], of)) > 0


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(DataError, match="articles, sentences or words"):
        loadedwords.to_arrow([], "outlets")  # type: ignore[arg-type]


@pytest.mark.parametrize("processes", [None, 2])
def test_a_dataset_is_mapped_in_batches(processes: int | None, linear: FramingModel) -> None:
    articles = datasets.Dataset.from_dict(COLUMNS).rename_column("Body", "text")
    mapped = articles.map(linear.score_columns, batched=True, batch_size=2, num_proc=processes)
    alone = list(linear.score_articles(articles))
    assert mapped["loaded_share"][:] == [each.loaded_share for each in alone]
    assert mapped["status"][:] == ["ok", "ok", "error"]


def test_a_first_batch_that_has_no_figure_has_the_types_of_the_others(linear: FramingModel) -> None:
    plain, loaded = "The council met.", COLUMNS["Body"][0]
    for first in (plain, None):
        articles = datasets.Dataset.from_dict({"text": [first] * 2 + [loaded] * 2})
        mapped = articles.map(linear.score_columns, batched=True, batch_size=2)
        assert mapped.features["top_words"].feature.dtype == "string"
        assert mapped["loaded_share"][0] is None or first
        assert mapped["loaded_share"][2] > 0
        streamed = list(articles.to_iterable_dataset().map(linear.score_columns, batched=True, batch_size=2))
        assert [row["loaded_share"] for row in streamed] == mapped["loaded_share"][:]


def test_columns_of_a_dataset_are_not_written_over(linear: FramingModel) -> None:
    articles = datasets.Dataset.from_dict({"text": ["One met."], "status": ["mine"], "n_words": [2]})
    with pytest.raises(DataError, match=r"(?s)has n_words, status already.*rename_column\('n_words'.*remove_columns"):
        articles.map(linear.score_columns, batched=True)


def test_a_model_travels_to_another_process() -> None:
    model = loadedwords.load_model(prevalence=0.1)
    again = pickle.loads(pickle.dumps(model))
    assert again.prevalence == 0.1
    assert again.p_loaded(COLUMNS["Body"][:2]).tolist() == model.p_loaded(COLUMNS["Body"][:2]).tolist()


def test_progress_is_shown_on_stderr(capsys: pytest.CaptureFixture[str], linear: FramingModel) -> None:
    assert len(list(loadedwords.score_articles(["One met.", "Two met."], model=linear, progress=True))) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "2/2" in err

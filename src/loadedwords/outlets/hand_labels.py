"""The file of a sample on its way to the labellers and back, and how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from loadedwords.errors import DataError
from loadedwords.files import as_paths, written_whole
from loadedwords.outlets.spreadsheet import write_csv
from loadedwords.outlets.tables import counts, read_edited, reals, texts

SAMPLE_SCHEMA = {
    **texts("sample_id", "article_id"),
    **counts("sentence_id"),
    **texts("outlet", "text", "context_before", "context_after"),
    **reals("p_own"),
    **texts("stratum"),
    **reals("probability"),
    **texts("label"),
}
SAMPLE_COLUMNS = tuple(SAMPLE_SCHEMA)
_NEEDED = ("article_id", "sentence_id", "outlet", "probability", "label")
# By so small a part two probabilities may differ and be one, as spreadsheets round them.
SAME = 1e-6
LABELS = ("loaded", "neutral", "skip")
_SPELLINGS = {"1": "loaded", "1.0": "loaded", "0": "neutral", "0.0": "neutral"}


@dataclass(frozen=True)
class Agreement:
    """How far labellers agree.

    Attributes
    ----------
    n_sentences : int
        Sentences with at least two labels.
    alpha : float or None
        Krippendorff's alpha for nominal labels (Krippendorff 2004, chapter 11): 1 full agreement, 0 as by chance.
        None where it is undefined: no sentence with two labels, or all labels alike.
    """

    n_sentences: int
    alpha: float | None


def write_sample(sample: pl.DataFrame, file: Path) -> None:
    """Write a sample as CSV that spreadsheets open as text; columns that it has beyond those of `draw_sample` are kept.

    A text that begins like a formula gets an apostrophe in front, which `read_sample` takes off again.
    """
    cell = pl.all().cast(pl.String).replace("", None)  # an empty cell, without marks
    with written_whole(file) as beside:
        # The mark tells spreadsheets that it is UTF-8.
        write_csv(sample.select(cell), beside, include_bom=True, line_terminator="\r\n")


def read_sample(file: Path) -> pl.DataFrame:
    """Read what `write_sample` wrote, all columns as strings; semicolons and tabs separate too, as spreadsheets save.

    Raises
    ------
    DataError
        If it is no CSV with the columns of a sample.
    """
    header, rows = read_edited(file)
    if missing := [name for name in _NEEDED if name not in header]:
        raise DataError(
            f"{file} lacks the columns {', '.join(missing)}.\nPass a file drawn by loadedwords sample, with its header."
        )
    return pl.DataFrame(rows, schema=texts(*header), orient="row")


def read_gold(files: str | Path | Sequence[str | Path]) -> pl.DataFrame:
    """Read labels given by hand.

    Parameters
    ----------
    files : str, Path or several
        Samples with their labels filled in: loaded or 1, neutral or 0, skip, or blank. A column `labeller` tells
        several people apart in one file; of several files, each is one person's where it has no such column.

    Returns
    -------
    polars.DataFrame
        One row for each sentence drawn: sample_id, article_id, sentence_id, outlet, text, p_own, stratum, probability,
        label (mean of its labels between 0 and 1, null where nobody labelled it), labels (all of them). What skipped
        sentences would have been is taken to be like the labelled ones of their stratum.

    Raises
    ------
    DataError
        If a label is not understood, a probability is not in (0, 1], somebody labelled a sentence twice, or nobody
        labelled any.
    """
    listed = as_paths(files)
    given = pl.concat([_labels_of(file) for file in listed])
    sentence = ["article_id", "sentence_id"]
    _refuse(
        given,
        (pl.col("probability").max().over(sentence) > (1 + SAME) * pl.col("probability").min().over(sentence))
        | (pl.col("stratum").n_unique().over(sentence) > 1),
        "this sentence has another probability elsewhere.\nPass labels of one sample.",
        last=True,
    )
    _refuse(
        given,
        ~pl.struct(*sentence, "labeller").is_first_distinct(),
        "{labeller} labelled sentence {sentence_id} of article {article_id} twice.\n"
        "Keep one row, or tell labellers apart in a column labeller.",
    )
    gold = given.group_by(sentence, maintain_order=True).agg(
        pl.exclude("label", "labeller", "where").first(),
        label=pl.col("label").mean(),
        labels=pl.col("label").drop_nulls(),
    )
    if not gold["label"].is_not_null().any():
        raise DataError(f"{', '.join(map(str, listed))}: no sentence is labelled.\nFill in the column label.")
    return gold.select("sample_id", *sentence, pl.exclude("sample_id", *sentence))


def label_agreement(gold: pl.DataFrame) -> Agreement:
    """Krippendorff's alpha of the labels of `read_gold`.

    Examples
    --------
    Two of three sentences agree. With 2 labels each, Do = 2/6 and De = 2·3·3/(6·5), so alpha = 1 − (1/3)/(3/5):

    >>> gold = pl.DataFrame({"labels": [[1.0, 1.0], [0.0, 0.0], [1.0, 0.0]]})
    >>> round(label_agreement(gold).alpha, 3)
    0.444
    """
    pairable = [labels for labels in gold["labels"].to_list() if len(labels) > 1]
    n = sum(map(len, pairable))
    ones = sum(sum(labels) for labels in pairable)
    if not ones or ones == n:
        return Agreement(len(pairable), None)
    observed = sum(2 * sum(labels) * (len(labels) - sum(labels)) / (len(labels) - 1) for labels in pairable) / n
    expected = 2 * ones * (n - ones) / (n * (n - 1))
    return Agreement(len(pairable), 1 - observed / expected)


def plain_labels(sample: pl.DataFrame, file: Path) -> pl.Series:
    """The labels of what `read_sample` read, each one of `LABELS` or empty, as people may have typed them."""
    plain = pl.col("label").fill_null("").str.strip_chars().str.to_lowercase().replace(_SPELLINGS)
    rows = sample.select("label", plain=plain, where=_where(file))
    _refuse(
        rows,
        ~pl.col("plain").is_in([*LABELS, ""]),
        "label {label!r} is not understood.\nUse loaded, neutral or skip, or leave it blank.",
    )
    return rows["plain"]


def _where(file: Path) -> pl.Expr:
    return pl.format("{}, record {}", pl.lit(str(file)), pl.int_range(2, pl.len() + 2))


def _labels_of(file: Path) -> pl.DataFrame:
    """The rows of a file, checked, with who labelled them and where they stand."""
    table = read_sample(file)
    table = table.with_columns(
        pl.lit(None, pl.String).alias(name) for name in {*SAMPLE_SCHEMA, "labeller"} - {*table.columns}
    )
    rows = table.with_columns(
        where=_where(file),
        labeller=pl.coalesce(pl.col("labeller").str.strip_chars().replace("", None), pl.lit(str(file))),
        stratum=pl.col("stratum").replace("", None),
        label=plain_labels(table, file),
    )
    numbers = {"sentence_id": pl.Int64, "p_own": pl.Float64, "probability": pl.Float64}
    for name, kind in numbers.items():
        # Spreadsheets of some countries save a decimal comma.
        number = pl.col(name).str.strip_chars().replace("" if name == "p_own" else None, None).str.replace(",", ".")
        if kind == pl.Int64:
            number = number.str.replace(r"\.0+$", "")  # as spreadsheets may save a whole number
        _refuse(
            rows,
            number.is_not_null() & number.cast(kind, strict=False).is_null(),
            f"{{{name}!r}} is no number.\nsentence_id, p_own and probability are numbers.",
        )
        rows = rows.with_columns(number.cast(kind))
    _refuse(
        rows,
        ~pl.col("probability").is_between(0, 1, closed="right") | pl.col("probability").is_nan(),
        "probability {probability} is not above 0 and at most 1.\nKeep the column as drawn.",
    )
    return rows.select(
        "sample_id", *("article_id", "sentence_id", "outlet", "text", "p_own", "stratum", "probability"),
        label=pl.col("label").replace_strict({"loaded": 1.0, "neutral": 0.0}, default=None), labeller="labeller", where="where",
    )  # fmt: skip


def _refuse(rows: pl.DataFrame, wrong: pl.Expr, why: str, *, last: bool = False) -> None:
    """Raise where the first row that is wrong stands; `why` may name its columns."""
    found = rows.filter(wrong)
    if found.height:
        row = found.row(-1 if last else 0, named=True)
        raise DataError(f"{row['where']}: {why.format(**row)}")

"""The file of a sample on its way to the labellers and back, and how far they agree."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from loadedwords.errors import DataError
from loadedwords.outlets.tables import read_edited

SAMPLE_COLUMNS = (
    "sample_id",
    "article_id",
    "sentence_id",
    "outlet",
    "text",
    "context_before",
    "context_after",
    "p_own",
    "stratum",
    "probability",
    "label",
)
_NEEDED = ("article_id", "sentence_id", "outlet", "probability", "label")
_LABELS = {"loaded": 1.0, "1": 1.0, "1.0": 1.0, "neutral": 0.0, "0": 0.0, "0.0": 0.0, "skip": None, "": None}
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GOLD: dict[str, pl.DataType] = {
    "sample_id": pl.String(),
    "article_id": pl.String(),
    "sentence_id": pl.Int64(),
    "outlet": pl.String(),
    "text": pl.String(),
    "p_own": pl.Float64(),
    "stratum": pl.String(),
    "probability": pl.Float64(),
    "label": pl.Float64(),
    "labels": pl.List(pl.Float64()),
}


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
    """Write a sample as CSV that spreadsheets open as text.

    A text that begins like a formula gets an apostrophe in front, which `read_sample` takes off again.

    Parameters
    ----------
    sample : polars.DataFrame
        As `draw_sample` returns it; further columns are kept.
    file : Path
        Replaced where it exists.
    """
    beside = file.with_name(f".{file.name}.part")
    with beside.open("w", encoding="utf-8-sig", newline="") as stream:  # the mark tells spreadsheets that it is UTF-8
        writer = csv.writer(stream)
        writer.writerow(sample.columns)
        for row in sample.iter_rows():
            writer.writerow(["" if value is None else _guard(str(value)) for value in row])
    beside.replace(file)  # never half a file, whatever happens meanwhile


def read_sample(file: Path) -> pl.DataFrame:
    """Read what `write_sample` wrote, every column as text; semicolons and tabs separate too, as spreadsheets save.

    Parameters
    ----------
    file : Path

    Returns
    -------
    polars.DataFrame
        All columns strings, stripped of the apostrophes that guard against formulas.

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
    kept = [[_unguard(value) for value in row] for row in rows]
    return pl.DataFrame(kept, schema=[(name, pl.String) for name in header], orient="row")


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
    listed = [Path(files)] if isinstance(files, (str, Path)) else [Path(file) for file in files]
    found: dict[tuple[str, int], dict[str, object]] = {}
    given: dict[tuple[str, int], dict[str, float | None]] = {}
    for file in listed:
        for number, row in enumerate(read_sample(file).iter_rows(named=True), start=2):
            where = f"{file}, record {number}"
            parsed, key, label = _gold_row(row, where)
            labeller = (row.get("labeller") or "").strip() or str(file)
            known = found.setdefault(key, parsed)
            if (known["probability"], known["stratum"]) != (parsed["probability"], parsed["stratum"]):
                raise DataError(
                    f"{where}: this sentence has another probability elsewhere.\nPass labels of one sample."
                )
            labels = given.setdefault(key, {})
            if labeller in labels:
                raise DataError(
                    f"{where}: {labeller} labelled sentence {key[1]} of article {key[0]} twice.\n"
                    "Keep one row, or tell labellers apart in a column labeller."
                )
            labels[labeller] = label
    rows = []
    for key, parsed in found.items():
        labels_given = [label for label in given[key].values() if label is not None]
        parsed["labels"] = labels_given
        parsed["label"] = sum(labels_given) / len(labels_given) if labels_given else None
        rows.append(parsed)
    gold = pl.DataFrame(rows, schema=_GOLD)
    if not gold["label"].is_not_null().any():
        raise DataError(f"{', '.join(map(str, listed))}: no sentence is labelled.\nFill in the column label.")
    return gold


def label_agreement(gold: pl.DataFrame) -> Agreement:
    """Krippendorff's alpha of the labels of `read_gold`.

    Parameters
    ----------
    gold : polars.DataFrame

    Returns
    -------
    Agreement

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


def _guard(value: str) -> str:
    return f"'{value}" if _FORMULA.match(value) else value


def _unguard(value: str) -> str:
    return value[1:] if value.startswith("'") and _FORMULA.match(value) else value


def _gold_row(row: Mapping[str, str], where: str) -> tuple[dict[str, object], tuple[str, int], float | None]:
    text = (row["label"] or "").strip().lower()
    if text not in _LABELS:
        raise DataError(
            f"{where}: label {row['label']!r} is not understood.\nUse loaded, neutral or skip, or leave it blank."
        )
    try:
        sentence_id = int(row["sentence_id"])
        # Spreadsheets of some countries save a decimal comma.
        probability = float(row["probability"].replace(",", "."))
        score = float(row["p_own"].replace(",", ".")) if row.get("p_own") else None
    except ValueError as error:
        raise DataError(f"{where}: {error}.\nsentence_id, p_own and probability are numbers.") from error
    if not 0 < probability <= 1:
        raise DataError(f"{where}: probability {probability} is not above 0 and at most 1.\nKeep the column as drawn.")
    parsed: dict[str, object] = {
        "sample_id": row.get("sample_id"),
        "article_id": row["article_id"],
        "sentence_id": sentence_id,
        "outlet": row["outlet"],
        "text": row.get("text"),
        "p_own": score,
        "stratum": row.get("stratum") or None,
        "probability": probability,
    }
    return parsed, (row["article_id"], sentence_id), _LABELS[text]

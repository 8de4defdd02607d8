"""The labelling page saves every click, resumes, shows no score, and answers nobody but its own page."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest

from loadedwords.errors import DataError
from loadedwords.outlets.hand_labels import read_gold, read_sample, write_sample
from loadedwords.report.labelling import LabellingSheet, serve_labelling
from loadedwords.report.local_page import LocalServer


def sample(n: int = 3) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "sample_id": [f"s{number}" for number in range(n)],
            "article_id": [f"a{number}" for number in range(n)],
            "sentence_id": list(range(n)),
            "outlet": ["The Secret Gazette"] * n,
            "text": [f"<b>Sentence</b> {number} sneers." for number in range(n)],
            "context_before": ["=Before it."] * n,
            "context_after": [""] * n,
            "p_own": [0.987654] * n,
            "stratum": ["The Secret Gazette | 0.00-1.00"] * n,
            "probability": [0.5] * n,
            "label": [""] * n,
        }
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sample.csv"
    write_sample(sample(), path)
    return path


@pytest.fixture
def server(file: Path) -> Iterator[LocalServer]:
    with serve_labelling(LabellingSheet(file)) as running:
        yield running


def ask(
    server: LocalServer, what: str = "", sent: Any = None, *, path: str | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=10)
    path = address.path + what if path is None else path
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if sent is None:
        connection.request("GET", path, headers=named)
    else:
        body = sent if isinstance(sent, str) else json.dumps(sent)
        connection.request("POST", path, body, {"Content-Type": "application/json", **named})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def state(server: LocalServer, what: str = "state", sent: Any = "{}") -> dict[str, Any]:
    status, _, content = ask(server, what, sent)
    assert status == 200, content
    found: dict[str, Any] = json.loads(content)
    return found


def labels(file: Path) -> list[str]:
    return read_sample(file)["label"].to_list()


def test_each_click_is_on_disk_and_the_rest_of_the_file_unchanged(server: LocalServer, file: Path) -> None:
    first = state(server)
    assert (first["labelled"], first["total"], first["sentence"]["sample_id"]) == (0, 3, "s0")
    second = state(server, "label", {"sample_id": "s0", "label": "loaded"})
    assert (second["labelled"], second["sentence"]["sample_id"]) == (1, "s1")
    assert labels(file) == ["loaded", "", ""]
    state(server, "label", {"sample_id": "s1", "label": "skip"})
    last = state(server, "label", {"sample_id": "s2", "label": "neutral"})
    assert last == {"labelled": 3, "total": 3, "sentence": None}
    assert labels(file) == ["loaded", "skip", "neutral"]
    expected = sample().with_columns(pl.all().cast(pl.String)).drop("label")
    assert read_sample(file).drop("label").equals(expected)
    assert read_gold(file)["label"].to_list() == [1.0, None, 0.0]
    assert sorted(path.name for path in file.parent.iterdir()) == ["sample.csv"]


def test_undo_takes_back_the_last_click(server: LocalServer, file: Path) -> None:
    assert state(server, "undo", {})["labelled"] == 0
    state(server, "label", {"sample_id": "s1", "label": "loaded"})
    state(server, "label", {"sample_id": "s0", "label": "neutral"})
    assert state(server, "undo", {})["sentence"]["sample_id"] == "s0"
    assert labels(file) == ["", "loaded", ""]
    assert state(server, "undo", {})["sentence"]["sample_id"] == "s1"
    assert labels(file) == ["", "", ""]


def test_a_restart_goes_on_where_it_was(file: Path) -> None:
    LabellingSheet(file).put("s0", "loaded")
    sheet = LabellingSheet(file)
    assert sheet.n_labelled == 1
    assert sheet.state()["sentence"]["sample_id"] == "s1"
    assert sheet.undo()["sentence"]["sample_id"] == "s0"


def test_labels_of_spreadsheets_are_kept(file: Path) -> None:
    write_sample(sample().with_columns(label=pl.Series(["1", "Neutral ", ""])), file)
    LabellingSheet(file).put("s2", "skip")
    assert labels(file) == ["loaded", "neutral", "skip"]
    write_sample(sample().with_columns(label=pl.Series(["perhaps", "", ""])), file)
    with pytest.raises(DataError, match="record 2: label 'perhaps'"):
        LabellingSheet(file)


def test_a_second_person_starts_blank_in_a_file_of_their_own(file: Path) -> None:
    LabellingSheet(file).put("s0", "loaded")
    second = LabellingSheet(file, labeller="Zoë-2")
    assert second.n_labelled == 0
    second.put("s0", "neutral")
    assert second.file == file.with_name("sample.Zoë-2.csv")
    assert labels(file) == ["loaded", "", ""]
    assert read_sample(second.file)["labeller"].to_list() == ["Zoë-2"] * 3
    assert LabellingSheet(file, labeller="Zoë-2").n_labelled == 1
    assert read_gold([file, second.file])["label"].to_list() == [0.5, None, None]
    for name in ("../up", "", "a b"):
        with pytest.raises(DataError, match="file name"):
            LabellingSheet(file, labeller=name)


def test_a_file_changed_by_something_else_is_not_written_over(server: LocalServer, file: Path) -> None:
    write_sample(sample().with_columns(label=pl.lit("neutral")), file)
    status, _, content = ask(server, "label", {"sample_id": "s0", "label": "loaded"})
    assert (status, "changed by something else" in json.loads(content)["error"]) == (409, True)
    assert labels(file) == ["neutral"] * 3


def test_neither_score_nor_outlet_reaches_the_page(server: LocalServer) -> None:
    for what, sent in (("", None), ("state", {})):
        _, _, content = ask(server, what, sent)
        assert b"0.98" not in content
        assert b"Gazette" not in content
    assert set(state(server)["sentence"]) == {"sample_id", "text", "context_before", "context_after"}


def test_the_page_asks_nothing_of_other_machines(server: LocalServer) -> None:
    status, headers, content = ask(server)
    assert status == 200
    page = content.decode()
    assert "://" not in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    nonce = headers["Content-Security-Policy"].partition("'nonce-")[2].partition("'")[0]
    assert page.count(f'nonce="{nonce}"') == 2
    for key in ("l j 1", "n f 0", '"s"', "u ArrowLeft"):
        assert key in page


def test_the_name_of_the_file_is_text_on_the_page(tmp_path: Path) -> None:
    file = tmp_path / "<i>&.csv"
    write_sample(sample(), file)
    with serve_labelling(LabellingSheet(file)) as server:
        page = ask(server)[2].decode()
    assert "<i>" not in page
    assert "&lt;i&gt;&amp;.csv" in page


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
    ],
)
def test_another_site_cannot_label(server: LocalServer, file: Path, headers: dict[str, str]) -> None:
    status, _, _ = ask(server, "label", {"sample_id": "s0", "label": "loaded"}, **headers)
    assert status in {403, 415}
    assert labels(file) == ["", "", ""]


def test_its_own_page_can_label(server: LocalServer, file: Path) -> None:
    origin = server.url.rsplit("/", 2)[0]
    status, _, _ = ask(server, "label", {"sample_id": "s0", "label": "loaded"}, Origin=origin)
    assert (status, labels(file)[0]) == (200, "loaded")


def test_without_the_token_nothing_is_told(server: LocalServer, file: Path) -> None:
    for path in ("/", "/state", "/wrong/state", "/%C3%A9/"):
        assert ask(server, path=path)[0] == 403
    assert ask(server, path="/wrong/label", sent={"sample_id": "s0", "label": "loaded"})[0] == 403
    assert ask(server, Host="evil.example")[0] == 403
    assert server.server_address[0] == "127.0.0.1", "other computers don't even get that far"
    assert labels(file) == ["", "", ""]


@pytest.mark.parametrize(
    "sent",
    ["{", "[]", '"x"', {"sample_id": "s9", "label": "loaded"}, {"sample_id": "s0", "label": "=1"}, "x" * 20_000],
)
def test_what_is_no_label_is_refused_and_serving_goes_on(server: LocalServer, file: Path, sent: Any) -> None:
    assert ask(server, "label", sent)[0] in {409, 413}
    assert ask(server, "elsewhere", {})[0] == 404
    assert ask(server, "elsewhere")[0] == 404
    assert labels(file) == ["", "", ""]
    assert state(server)["labelled"] == 0


def test_clicks_at_the_same_time_are_all_saved(tmp_path: Path) -> None:
    file = tmp_path / "sample.csv"
    write_sample(sample(24), file)
    with serve_labelling(LabellingSheet(file)) as server, ThreadPoolExecutor(8) as pool:
        clicks = [{"sample_id": f"s{number}", "label": "loaded"} for number in range(24)]
        counts = sorted(found["labelled"] for found in pool.map(lambda click: state(server, "label", click), clicks))
    assert counts == list(range(1, 25))
    assert labels(file) == ["loaded"] * 24


def test_waiting_ends_when_the_labeller_finishes(file: Path) -> None:
    sheet = LabellingSheet(file)
    server = serve_labelling(sheet)
    state(server, "label", {"sample_id": "s0", "label": "loaded"})
    state(server, "finish", {})
    server.wait()
    assert sheet.n_labelled == 1
    with pytest.raises(OSError):  # noqa: PT011 - refused, in the words of each system
        ask(server)


def test_a_table_that_is_no_sample_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sample.csv"
    write_sample(sample().drop("context_before"), file)
    with pytest.raises(DataError, match="context_before"):
        LabellingSheet(file)
    write_sample(pl.concat([sample(), sample()]), file)
    with pytest.raises(DataError, match="twice"):
        LabellingSheet(file)

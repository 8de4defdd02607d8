"""The report is one file, complete, escaped, and says on what its figures rest."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadedwords.articles import read_articles
from loadedwords.batch import RunDescription, score_to_folder
from loadedwords.errors import DataError
from loadedwords.report import write_report
from loadedwords.report.charts import write_reliability_plot
from loadedwords.schema import Article
from pages import Page

DATA = Path(__file__).parents[1] / "notebooks" / "data"


def check(page: str) -> Page:
    read = Page(page)
    kinds = [attributes.get("type") for tag, attributes in read.tags if tag == "script"]
    assert kinds == ["application/json", None], "its data and its own script, and nobody else's"
    assert not any("style" in attributes or "onerror" in attributes for _, attributes in read.tags)
    return read


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    score_to_folder(read_articles([DATA / "coverage.jsonl"]), folder, description=RunDescription(["coverage.jsonl"]))
    return write_report(folder).read_text(encoding="utf-8")


def test_it_is_complete_and_needs_nothing_else(page: str) -> None:
    checker = check(page)
    assert checker.text.count("loaded share 0.") >= 72
    assert len(re.findall(r'<details id="article-', page)) == 72
    assert re.search(r'<svg class="chart forest".*?</svg>', page, re.DOTALL)[0].count("<circle") == 6  # type: ignore[index]
    for outlet in ("Meridian Wire", "The Daily Blare", "The Plainspoken", "The Common Ember"):
        assert outlet in checker.text
    assert "dam-release" in checker.text
    assert checker.count("mark") > 100
    assert re.search(r"0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]", checker.text), "figures come with their intervals"
    assert "pairs of outlets differ" in checker.text
    assert "Methods, to quote" in checker.text


def test_the_same_input_makes_the_same_page(tmp_path: Path) -> None:
    pages = []
    for _ in range(2):
        articles = [
            Article(f"a{k}", f"The shameless plan {k} failed. So it was.", outlet=f"o{k % 3}") for k in range(36)
        ]
        score_to_folder(iter(articles), tmp_path, description=RunDescription(["x"]), overwrite=True)
        pages.append(write_report(tmp_path).read_bytes())
    assert pages[0] == pages[1]


def test_a_folders_name_may_hold_brackets(tmp_path: Path) -> None:
    folder = tmp_path / "scores [1]*"
    score_to_folder(
        iter([Article("a", "The shameless plan failed.", outlet="o")]), folder, description=RunDescription(["x"])
    )
    assert "shameless" in write_report(folder).read_text(encoding="utf-8")


nasty = st.text(st.sampled_from("<>&\"'/=`{}%#ab \n“”") | st.characters(codec="utf-8"), max_size=80)


@settings(deadline=None, max_examples=15)
@given(text=nasty, outlet=nasty, title=nasty, event=nasty)
def test_everything_is_escaped(
    text: str, outlet: str, title: str, event: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("nasty")
    body = f"The shameless <script>alert('{text}')</script> puppet fled.\n\n{text}"
    articles = [Article("<img src=x onerror=alert(1)>", body, outlet=outlet, title=title, event_id=event)]
    score_to_folder(iter(articles), folder, description=RunDescription(["</dd><script>"]))
    check(write_report(folder).read_text(encoding="utf-8"))


def test_it_shows_so_many_articles_and_says_so(tmp_path: Path) -> None:
    articles = [Article(f"a{k}", f"The shameless plan {k} failed.", outlet=f"o{k % 4}") for k in range(40)]
    score_to_folder(iter(articles), tmp_path, description=RunDescription(["x"]))
    page = write_report(tmp_path, max_articles=8).read_text(encoding="utf-8")
    checker = check(page)
    assert page.count('<details id="article-') == 8
    assert "8 of 40 articles" in checker.text
    assert all(f"o{k}" in checker.text for k in range(4)), "each outlet has its turn"


def test_it_copes_with_nothing_to_compare(tmp_path: Path) -> None:
    score_to_folder(iter([Article("a", "“All of it is quoted.”")]), tmp_path, description=RunDescription(["x"]))
    assert "nothing to compare" in check(write_report(tmp_path).read_text(encoding="utf-8")).text
    with pytest.raises(DataError, match="holds no run"):
        write_report(tmp_path / "sentences")


def test_a_reliability_plot_is_an_svg(tmp_path: Path) -> None:
    write_reliability_plot([(0.1, 0.08, 300), (0.5, 0.55, 300), (0.9, 0.93, 300)], tmp_path / "plot.svg")
    drawn = (tmp_path / "plot.svg").read_text(encoding="utf-8")
    assert drawn.rstrip().endswith("</svg>")
    write_reliability_plot([(0.1, 0.08, 300)], tmp_path / "fewer.svg")
    fewer = (tmp_path / "fewer.svg").read_text(encoding="utf-8")
    assert drawn.count("<use") > fewer.count("<use"), "each bin is a mark"


@pytest.mark.parametrize("file", ["page.css", "labelling.html.j2"])
def test_every_colour_has_one_for_dark_screens(file: str) -> None:
    style = (files("loadedwords.report") / file).read_text(encoding="utf-8")
    light, dark = re.findall(r":root\{([^}]*)\}", style)
    colours = [set(re.findall(r"(--\w+):#", of)) for of in (light, dark)]
    assert colours[0] == colours[1]
    assert "prefers-color-scheme:dark" in style
    elsewhere = style.replace(light, "").replace(dark, "").partition("<script")[0]
    assert not re.findall(r"#[0-9a-f]{3,6}\b(?![^{}]*\{)", elsewhere), "a colour that is the same on dark screens"


def test_no_mark_has_a_colour_of_its_own() -> None:
    for template in ("comparison.html.j2", "marks.html.j2"):
        assert not re.search(r'(fill|stroke)="#', (files("loadedwords.report") / template).read_text(encoding="utf-8"))

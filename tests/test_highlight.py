"""An article that shows itself: readable in light and in dark, and nothing of a text becomes markup."""

from __future__ import annotations

import re

import pytest

from loadedwords.highlight import DARK_STYLE, STYLE, Passage, article_html
from loadedwords.schema import LoadedWord

Colour = tuple[float, float, float]
# Under the text: white, JupyterLab's and VS Code's grounds, GitHub's, and the article's own.
LIGHT_GROUNDS = ("#ffffff", "#f8f8f8", "#f3f3f3")
DARK_GROUNDS = ("#111111", "#121212", "#1e1e1e", "#1f1f1f", "#0d1117", "#000000")
DEEPEST = 0.65  # of a word with score 1


def colours(style: str) -> dict[str, str]:
    return dict(re.findall(r"--lw-(\w+):([^;}]+)", style))


def parsed(colour: str) -> Colour:
    digits = colour.strip().lstrip("#")
    if "," in digits:
        red, green, blue = map(float, digits.split(","))
        return red, green, blue
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    red, green, blue = (float(int(digits[at : at + 2], 16)) for at in (0, 2, 4))
    return red, green, blue


def over(colour: Colour, opacity: float, ground: Colour) -> Colour:
    red, green, blue = (opacity * c + (1 - opacity) * g for c, g in zip(colour, ground, strict=True))
    return red, green, blue


def contrast(a: Colour, b: Colour) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""

    def luminance(colour: Colour) -> float:
        red, green, blue = (
            c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(parsed("#fff"), parsed("#000")) == pytest.approx(21)
    assert contrast(parsed("#777"), parsed("#fff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("style", "grounds"), [(STYLE, LIGHT_GROUNDS), (DARK_STYLE, DARK_GROUNDS)], ids=["light", "dark"]
)
def test_every_text_stands_out_from_what_is_under_it(style: str, grounds: tuple[str, ...]) -> None:
    found = colours(style)
    assert found.keys() == colours(STYLE).keys(), "both themes name every colour"
    for ground in map(parsed, grounds):
        for name in ("ink", "soft", "figures", "strong"):
            assert contrast(parsed(found[name]), ground) >= 4.5, name
        for opacity in (0.15, 0.4, DEEPEST):
            marked = over(parsed(found["mark"]), opacity, ground)
            assert contrast(parsed(found["ink"]), marked) >= 4.5, opacity
        for name in ("strong", "quoted"):  # lines, not text
            assert contrast(parsed(found[name]), ground) >= 3


def test_no_text_has_a_colour_of_its_own() -> None:
    rules = STYLE.split("}", 1)[1]
    assert not re.findall(r"color:#", rules), "a colour that is not named is not changed in the dark"


def test_the_deepest_shade_is_the_one_that_is_tested() -> None:
    word = LoadedWord(0, 4, "evil", 1.0, in_quote=False)
    html = article_html([], "", [Passage(0, "evil", 0, [word])])
    assert f"--s:{DEEPEST:.2f}" in html


def test_a_notebooks_theme_stands_above_the_systems() -> None:
    html = article_html([Passage(0, "<Title>", 0)], "figures", [Passage(0, "<b>plain</b>", 0)])
    assert DARK_STYLE in html
    assert "<b>" not in html
    assert "&lt;Title&gt;" in html
    ask = DARK_STYLE[DARK_STYLE.index("@media") :]
    assert ":not([data-jp-theme-light]):not([data-vscode-theme-kind])" in ask
    assert "background:#121212" in ask, "the page around it may be white"

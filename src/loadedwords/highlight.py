"""An article as HTML, its loaded words marked: what a notebook shows and what the report is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # which shows itself by this module
    from loadedwords.schema import LoadedWord

# Every text passes 4.5:1 on what lies under it, the deepest shade too; a word is underlined, so that nothing rests on
# colour alone.
STYLE = """
.lw-article{--lw-ink:#1b1b1b;--lw-soft:#666;--lw-figures:#444;--lw-strong:#a8330f;--lw-quoted:#5c6b7a;--lw-rule:#ddd;--lw-mark:224,92,40}
.lw-article{font:17px/1.6 Georgia,'Times New Roman',serif;max-width:42em;color:var(--lw-ink)}
.lw-article h3{color:inherit}
.lw-article p{margin:.7em 0}
.lw-article .lw-standfirst{font-style:italic}
.lw-article mark{background:rgba(var(--lw-mark),var(--s));color:inherit;border-bottom:2px solid var(--lw-strong);border-radius:2px;padding:0 .08em}
.lw-article mark.lw-quoted{background:none;border-bottom:2px dotted var(--lw-quoted)}
.lw-article .lw-p{font:12px/1 system-ui,sans-serif;color:var(--lw-soft);vertical-align:super;padding-left:.15em}
.lw-article .lw-p.lw-high{color:var(--lw-strong);font-weight:600}
.lw-article .lw-apart{color:var(--lw-soft)}
.lw-article .lw-left-out{color:var(--lw-soft);font-size:.85em}
.lw-article .lw-figures{font:14px/1.5 system-ui,sans-serif;color:var(--lw-figures);border-bottom:1px solid var(--lw-rule);padding-bottom:.4em}
""" + "".join(
    f".lw-article mark.lw-s{tenth}{{--s:{0.2 + 0.05 * tenth:.2f}}}\n"  # a class: pages with a policy let no style attribute through
    for tenth in range(10)
)
_DARK = "--lw-ink:#ebe9e6;--lw-soft:#a6a6a6;--lw-figures:#c4c4c4;--lw-strong:#ff9d7a;--lw-quoted:#93a4b5;--lw-rule:#444;--lw-mark:224,92,40"
# JupyterLab and VS Code say which theme they have, whatever the system prefers. Elsewhere the system is asked, and the
# article brings its own ground: the page around it may be white all the same.
DARK_STYLE = f"""
body[data-jp-theme-light="false"] .lw-article,body.vscode-dark .lw-article,body[data-vscode-theme-kind="vscode-dark"] .lw-article,body[data-vscode-theme-kind="vscode-high-contrast"] .lw-article{{{_DARK}}}
@media (prefers-color-scheme:dark){{body:not([data-jp-theme-light]):not([data-vscode-theme-kind]) .lw-article{{{_DARK};background:#121212;padding:.2em 1em}}}}
"""


@dataclass(frozen=True)
class Passage:
    """A sentence, scored or not, or a passage left out, as it is to be shown; offsets as in the article."""

    start: int
    text: str
    paragraph: int
    words: Sequence[LoadedWord] = ()
    p_loaded: float | None = None
    p_own: float | None = None
    left_out: str | None = None
    origin: str | None = None


def article_html(
    title: Sequence[Passage], figures: str, passages: Sequence[Passage], standfirst: Sequence[Passage] = ()
) -> str:
    """One article with a line of figures, as an HTML fragment that carries its own style."""
    return (
        f'<style>{STYLE}{DARK_STYLE}</style><div class="lw-article">{heading_html(title, standfirst)}'
        f'<p class="lw-figures">{escape(figures)}</p>'
        f"{passages_html(sorted(passages, key=lambda passage: passage.start))}</div>"
    )


def heading_html(title: Sequence[Passage], standfirst: Sequence[Passage]) -> str:
    """Title and standfirst, marked as the text is."""
    above = " ".join(_passage_html(passage) for passage in title if passage.text)
    below = " ".join(map(_passage_html, standfirst))
    return (f"<h3>{above}</h3>" if above else "") + (f'<p class="lw-standfirst">{below}</p>' if below else "")


def passages_html(passages: Sequence[Passage]) -> str:
    """Passages in order, one `<p>` a paragraph, loaded words in `<mark>`; everything else escaped."""
    paragraphs = groupby(passages, key=lambda passage: (passage.paragraph, passage.left_out is not None))
    return "\n".join(f"<p>{' '.join(map(_passage_html, group))}</p>" for _, group in paragraphs)


def mark_words(text: str, words: Sequence[LoadedWord], offset: int) -> str:
    """`text` escaped, each word in a `<mark>`; words are in order, and `text` starts at `offset` for them."""
    parts: list[str] = []
    done = 0
    for word in words:
        start, end = word.start - offset, word.end - offset
        parts.append(escape(text[done:start]))
        voice = f"{escape(word.speaker)}, quoted, " if word.speaker else "quoted, " if word.in_quote else ""
        device = f"{word.device}; " if word.device else ""
        attributes = ' class="lw-quoted"' if word.in_quote else f' class="lw-s{min(9, int(10 * word.score))}"'
        parts.append(
            f'<mark{attributes} title="{device}{voice}score {word.score:.2f}">{escape(text[start:end])}</mark>'
        )
        done = end
    parts.append(escape(text[done:]))
    return "".join(parts)


def _passage_html(passage: Passage) -> str:
    if passage.left_out is not None:
        return f'<span class="lw-left-out" title="left out: {escape(passage.left_out)}">{escape(passage.text)}</span>'
    marked = mark_words(passage.text, passage.words, passage.start)
    if passage.p_loaded is None:
        return marked
    shown = passage.p_own
    if shown is None:
        why = f"from {escape(passage.origin)}" if passage.origin else "quoted"
        apart = ' class="lw-apart"' if passage.origin else ""
        return f'<span{apart} title="{why}; score of the whole {passage.p_loaded:.2f}">{marked}</span>'
    high = " lw-high" if shown >= 0.5 else ""
    return f'<span>{marked}</span><span class="lw-p{high}" title="own-voice score">{shown:.2f}</span>'

"""Findings → what a language server says of them: diagnostics, hovers and code actions, in the client's positions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lsprotocol import types

from loadedwords.house import BANNED, HOUSE_FILE, UNTOLD, Severity, without_possessive
from loadedwords.lint.documents import LINE_END
from loadedwords.lint.findings import Finding, Fix
from loadedwords.lint.formats import message_of, plain
from loadedwords.lint.reasons import title_of

SOURCE = "loadedwords"
ACCEPT = "loadedwords.accept"

_SEVERITIES: dict[Severity, types.DiagnosticSeverity] = {
    "note": types.DiagnosticSeverity.Information,
    "warning": types.DiagnosticSeverity.Warning,
    "error": types.DiagnosticSeverity.Error,
}


def ranges_of(places: Sequence[Finding | Fix], text: str, n_units: Callable[[str], int]) -> list[types.Range]:
    """Where findings and fixes stand, in lines from 0 and in the code units that the client counts, by `n_units`."""
    lines = LINE_END.split(text)

    def position(line: int, column: int) -> types.Position:
        return types.Position(line - 1, n_units(lines[line - 1][: column - 1]))

    return [types.Range(position(one.line, one.column), position(one.end_line, one.end_column)) for one in places]


def diagnostic_of(finding: Finding, place: types.Range) -> types.Diagnostic:
    return types.Diagnostic(
        place, message_of(finding), _SEVERITIES[finding.severity], code=finding.kind or UNTOLD, source=SOURCE
    )


def trouble_diagnostic(message: str) -> types.Diagnostic:
    """Why a story can't be linted, shown at its head."""
    start = types.Position(0, 0)
    return types.Diagnostic(types.Range(start, start), message, types.DiagnosticSeverity.Error, source=SOURCE)


def hover_of(finding: Finding, place: types.Range) -> types.Hover:
    """Kind, reason and how sure, as plain text, which every client shows."""
    said = [
        f"{title_of(finding.kind)} ({finding.severity})",
        finding.reason,
        f"{finding.score:.0%} of careful readers would mark the word, {finding.p_loaded:.0%} object to the sentence",
    ]
    if finding.found_by != "model":
        said[2:] = ["from the list of stock wording; no model found it"] if finding.found_by == "list" else []
    if finding.voice == "quoted":
        said.append(f"said by {plain(finding.speaker)}" if finding.speaker else "in a quotation")
    if finding.plainer:
        said.append(f"plainer: {', '.join(map(finding.offer, finding.plainer))}")
    return types.Hover(types.MarkupContent(types.MarkupKind.PlainText, "\n\n".join(said)), place)


def actions_for(
    finding: Finding, place: types.Range, fixes: Sequence[types.Range], uri: str
) -> Iterator[types.CodeAction]:
    """Replace the word with each plainer one, at the places `fixes`, or accept it; what the house bans can't be accepted."""
    mends = [diagnostic_of(finding, place)]
    for fix, there in dict(zip(finding.plainer, fixes, strict=True)).items():
        offer = finding.offer(fix)
        yield types.CodeAction(
            f"Replace with “{offer}”" if offer == fix.text else f"{offer[0].upper()}{offer[1:]}",
            types.CodeActionKind.QuickFix,
            mends,
            is_preferred=fix == finding.plainer[0],
            edit=types.WorkspaceEdit(changes={uri: [types.TextEdit(there, fix.text)]}),
        )
    if finding.kind != BANNED:
        word = without_possessive(plain(finding.words))  # an accepted word stands for its possessive, too
        title = f"Accept “{word}” in {HOUSE_FILE}"
        yield types.CodeAction(
            title, types.CodeActionKind.QuickFix, mends, command=types.Command(title, ACCEPT, arguments=[uri, word])
        )

"""Findings as other programs read them: JSON, GitHub's annotations, SARIF."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loadedwords.house import LINT_KINDS, UNTOLD
from loadedwords.lint.findings import Finding, Fix
from loadedwords.lint.reasons import reason_for, title_of
from loadedwords.text.cleaning import clean_text

_GITHUB_COMMAND = {"note": "notice", "warning": "warning", "error": "error"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def plain(text: str) -> str:
    """A word or sentence as it reads on one line, without markup."""
    return " ".join(clean_text(text).text.split())


def message_of(finding: Finding) -> str:
    """What a finding says, in one line: kind, word, how sure, why, and plainer words."""
    sure = "listed" if finding.found_by == "list" else f"word {finding.score:.2f}, sentence {finding.p_loaded:.2f}"
    said = f'{title_of(finding.kind)} "{plain(finding.words)}" ({sure}): {finding.reason}'
    if finding.voice == "quoted":
        said += f"; said by {plain(finding.speaker)}" if finding.speaker else "; in a quotation"
    if finding.part != "text":
        said = f"{finding.part}: {said}"
    if finding.left_alone:
        said += f"; left alone by default: {finding.left_alone}"
    return f"{said}. Plainer: {', '.join(map(finding.offer, finding.plainer))}" if finding.plainer else said


def as_json(findings: Sequence[Finding]) -> str:
    """One array, one object a finding, with the fields of `Finding`."""
    return json.dumps([asdict(finding) for finding in findings], indent=1)


def as_github(findings: Sequence[Finding]) -> str:
    """Workflow commands, by which GitHub shows findings beside the lines of a change."""
    return "\n".join(map(_github_line, findings))


def _github_line(finding: Finding) -> str:
    properties: dict[str, object] = {"file": finding.path, "line": finding.line, "endLine": finding.end_line}
    if finding.line == finding.end_line and not finding.in_table:  # else GitHub takes no columns
        properties |= {"col": finding.column, "endColumn": finding.end_column}
    properties["title"] = title_of(finding.kind)
    listed = ",".join(f"{name}={_escaped(str(value), property_too=True)}" for name, value in properties.items())
    return f"::{_GITHUB_COMMAND[finding.severity]} {listed}::{_escaped(message_of(finding))}"


def _escaped(text: str, *, property_too: bool = False) -> str:
    """As the toolkit of GitHub's actions escapes the data and the properties of a command."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property_too else text


def as_sarif(findings: Sequence[Finding]) -> str:
    """A log in SARIF 2.1.0, columns in characters; what is in a table has a line alone."""
    driver = {
        "name": "loadedwords",
        "version": metadata.version("loadedwords"),
        "rules": [
            {
                "id": kind,
                "name": title_of(kind),
                "shortDescription": {"text": title_of(kind)},
                "fullDescription": {"text": reason_for(kind)},
            }
            for kind in LINT_KINDS
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(finding) for finding in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def _sarif_result(finding: Finding) -> Mapping[str, Any]:
    rule = finding.kind or UNTOLD
    region = {"startLine": finding.line} if finding.in_table else _region(finding)
    artifact = {"uri": _uri(finding.path)}
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": LINT_KINDS.index(rule),
        "level": finding.severity,
        "message": {"text": message_of(finding)},
        "locations": [
            {"physicalLocation": {"artifactLocation": artifact, "region": region | {"snippet": {"text": finding.text}}}}
        ],
        "properties": {
            **{
                name: getattr(finding, name)
                for name in ("part", "score", "p_loaded", "voice", "speaker", "sentence", "found_by", "left_alone")
            },
            "plainer": [finding.offer(fix) for fix in finding.plainer],
        },
    }
    if finding.found_by == "model":
        result["rank"] = round(100 * finding.probability, 1)
    if finding.plainer and not finding.in_table:
        result["fixes"] = [
            {
                "description": {"text": f"Plainer: {finding.offer(fix)}"},
                "artifactChanges": [
                    {
                        "artifactLocation": artifact,
                        "replacements": [{"deletedRegion": _region(fix), "insertedContent": {"text": fix.text}}],
                    }
                ],
            }
            for fix in dict.fromkeys(finding.plainer)
        ]
    return result


def _region(place: Finding | Fix) -> dict[str, Any]:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }


def _uri(path: str) -> str:
    place = Path(path)
    return place.as_uri() if place.is_absolute() else quote(place.as_posix())

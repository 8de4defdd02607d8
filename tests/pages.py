"""A page as the tests read it: its tags, what they say, and whether they close."""

from __future__ import annotations

import html.parser

VOID = {"meta", "br", "link", "input"}


class Page(html.parser.HTMLParser):
    """Collects tags and text; fails on tags that do not close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: dict[str, str] = {}
        self.said = ""
        self.feed(page)
        self.close()
        assert self.open == []
        assert "url(" not in page, "nothing may be fetched"
        for tag, attributes in self.tags:
            assert tag not in {"img", "iframe", "object", "form"}
            assert not any(name.startswith("on") or name == "src" for name in attributes), tag
            assert (attributes.get("href") or "#").startswith(("#", "data:,")), "nothing may be fetched"

    @property
    def text(self) -> str:
        return " ".join(self.said.split())

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.tags)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data
        where = self.open[-1] if self.open else ""
        if where == "script":
            self.scripts[-1] += data
        self.texts[where] = self.texts.get(where, "") + data

"""The language server: lints the stories that an editor has open, as they are written."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from loadedwords.errors import LoadedwordsError
from loadedwords.house import HOUSE_FILE, House, accept_words, find_house, read_house
from loadedwords.lint.answers import ACCEPT, SOURCE, actions_for, diagnostic_of, hover_of, ranges_of, trouble_diagnostic
from loadedwords.lint.documents import TextForm
from loadedwords.lint.findings import Finding, lint_text
from loadedwords.models.bundle import open_bundle
from loadedwords.scoring import FramingModel

PAUSE = 0.15  # seconds without a keystroke before a story is linted
N_REMEMBERED = 20_000  # sentences: some hundred stories, with the sentences that plainer words are tried in

# By the language that the client says, or the ending of the file's name.
_FORMS: dict[str | None, TextForm] = {"markdown": "markdown", "html": "html", ".md": "markdown", ".htm": "html", ".html": "html"}  # fmt: skip

_HALF_CHARACTERS = re.compile("[\ud800-\udfff]")  # which editors written in JavaScript can send, and no tokenizer takes


@dataclass(frozen=True)
class Linted:
    """What was found in one version of a story, and where; or the `trouble`."""

    version: int | None
    found: tuple[tuple[Finding, types.Range], ...] = ()
    trouble: str | None = None


class LintServer(LanguageServer):
    """Holds the model, what was found in each open story, and which ones wait to be linted."""

    def __init__(self, model: FramingModel, *, quotes: bool = False) -> None:
        # The client sends whole texts: pygls takes more characters for line ends than the protocol does, and so would
        # apply a change to the wrong line.
        super().__init__(SOURCE, metadata.version("loadedwords"), types.TextDocumentSyncKind.Full)
        self._model, self._quotes = model, quotes
        self._linting: dict[str, asyncio.Future[Linted]] = {}  # of the texts and rules of now
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._beside = ThreadPoolExecutor(max_workers=1)  # one, as the model's memory is for one

    def lint_soon(self, uri: str, pause: float = 0.0) -> None:
        """Lint a story, unless it changes again within the pause."""
        self._forget(uri)
        self._waiting[uri] = asyncio.create_task(self._lint_after(uri, pause))

    def lint_all(self) -> None:
        for document in self.workspace.text_documents.values():
            self.lint_soon(document.uri)

    def close(self, uri: str) -> None:
        self._forget(uri)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    async def linted(self, uri: str) -> Linted:
        """What is found in a story as it stands now, linted first where that was not done yet."""
        if uri not in self._linting:
            document = self.workspace.get_text_document(uri)
            if document.version is None:  # closed: one that was never saved is nowhere
                return Linted(None)
            self._linting[uri] = asyncio.get_running_loop().run_in_executor(
                self._beside, self._lint, document, document.version, document.source
            )
        return await asyncio.shield(self._linting[uri])  # others may wait for it, too

    def accept(self, uri: str, word: str) -> None:
        """Add a word to the nearest house file, or to a new one in the workspace's folder or else the story's."""
        story = self._place(uri)
        folders = [Path(path) for folder in self.workspace.folders.values() if (path := to_fs_path(folder.uri))]
        around = [folder for folder in folders if story.is_relative_to(folder)]
        nearest = max(around, key=lambda folder: len(folder.parts), default=story if story.is_dir() else story.parent)
        try:
            accept_words([word], find_house(story) or nearest / HOUSE_FILE)
        except LoadedwordsError as error:
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, str(error)))
        self.lint_all()

    def _forget(self, uri: str) -> None:
        self._linting.pop(uri, None)
        if waiting := self._waiting.pop(uri, None):
            waiting.cancel()

    async def _lint_after(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        linted = await self.linted(uri)
        shown = [diagnostic_of(*pair) for pair in linted.found]
        if linted.trouble:
            shown.append(trouble_diagnostic(linted.trouble))
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, shown, linted.version))

    def _lint(self, document: TextDocument, version: int | None, text: str) -> Linted:
        place = self._place(document.uri)
        try:
            file = find_house(place)
            house = read_house(file) if file else House()  # read each time, as it may have changed
            if not (place.is_dir() or house.wants(place)):
                return Linted(version)
            form = _FORMS.get(document.language_id) or _FORMS.get(Path(document.path).suffix.lower(), "text")
            text = _HALF_CHARACTERS.sub("\ufffd", text)
            findings = lint_text(
                text, model=self._model, house=house, path=document.path, form=form, quotes=self._quotes
            )
        except LoadedwordsError as error:
            return Linted(version, trouble=str(error))
        places = ranges_of(findings, text, document.position_codec.client_num_units)
        return Linted(version, tuple(zip(findings, places, strict=True)))

    def _place(self, uri: str) -> Path:
        """A story's file; of one that was never saved, the folder of the workspace."""
        path = to_fs_path(uri) if uri.startswith("file:") else self.workspace.root_path
        return Path(path) if path else Path.cwd()


def make_server(model: str | Path | None = None, *, quotes: bool = False) -> LintServer:
    """A server that is ready to start, with ``start_io()``; `model` is what `load_model` takes."""
    server = LintServer(FramingModel(open_bundle(model), n_remembered=N_REMEMBERED), quotes=quotes)
    _lint_what_changes(server)
    _answer_questions(server)
    return server


def _lint_what_changes(server: LintServer) -> None:
    @server.feature(types.INITIALIZED)
    async def watch_house_files(_params: types.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        watching = workspace and workspace.did_change_watched_files
        if watching and watching.dynamic_registration:
            options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(f"**/{HOUSE_FILE}")])
            wanted = types.Registration("house", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            await server.client_register_capability_async(types.RegistrationParams([wanted]))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def house_changed(_params: types.DidChangeWatchedFilesParams) -> None:
        server.lint_all()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.lint_soon(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.lint_soon(params.text_document.uri, PAUSE)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.lint_soon(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.close(params.text_document.uri)


def _answer_questions(server: LintServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        linted = await server.linted(params.text_document.uri)
        here = (pair for pair in linted.found if pair[1].start <= params.position < pair[1].end)
        return next((hover_of(*pair) for pair in here), None)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        uri, only, asked = params.text_document.uri, params.context.only, params.range
        if only is not None and not {"", types.CodeActionKind.QuickFix} & set(only):
            return []
        linted = await server.linted(uri)
        here = [pair for pair in linted.found if pair[1].start <= asked.end and asked.start <= pair[1].end]
        document = server.workspace.get_text_document(uri)
        units = document.position_codec.client_num_units
        return [
            action
            for finding, place in here
            for action in actions_for(finding, place, ranges_of(finding.plainer, document.source, units), uri)
        ]

    @server.command(ACCEPT)
    def accept(uri: str, word: str) -> None:
        server.accept(uri, word)

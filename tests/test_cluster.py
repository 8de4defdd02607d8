"""A cluster gives the very files that one process gives, whatever becomes of its machines and of us."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from loadedwords.articles import read_articles
from loadedwords.batch import RunDescription, RunSummary, cluster, score_to_folder, shards
from loadedwords.cli import main
from loadedwords.errors import LoadedwordsError, MissingExtraError
from loadedwords.models.bundle import CONFIG_FILE, file_hash
from loadedwords.schema import Article, Reject

PATIENCE = 300  # seconds, on a busy machine


def articles_of(n: int) -> list[Article]:
    text = "The reckless plan number {} failed. He said: “It is a disgrace.” Advertisement\n\nAdvertisement"
    return [Article(f"a{k}", text.format(k), outlet=f"o{k % 3}", source=f"x.jsonl:{k + 1}") for k in range(n)]


def run(items: Iterable[Article | Reject], folder: Path, model: Path, **options: Any) -> RunSummary:
    return score_to_folder(iter(items), folder, description=RunDescription(["x.jsonl"]), model=model, **options)


def files(folder: Path) -> dict[str, bytes]:
    """All that a run wrote but what tells of its time."""
    found = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return {name: content for name, content in found.items() if name not in ("run.json", "report.html")}


def machine() -> dict[str, int]:
    """One core. Told its ports, Ray does not wait for its agents to find some, with little patience on a busy machine."""
    names = ("runtime_env_agent_port", "metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port")
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("", 0))) for _ in names]
        ports = {name: taken.getsockname()[1] for name, taken in zip(names, sockets, strict=True)}
    return {"num_cpus": 1, "object_store_memory": 80_000_000, **ports}


def wait_for(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_where_no_cluster_is_the_address_is_told(tmp_path: Path, small_bundle: Path) -> None:
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'loadedwords[ray]'")
    assert not ray.is_initialized(), "the test comes before those that have a cluster"
    with pytest.raises(LoadedwordsError, match=r"There is no Ray cluster at 127.0.0.1:1: .*refused"):
        run(articles_of(3), tmp_path, small_bundle, engine="ray", ray_address="127.0.0.1:1")


@pytest.fixture(scope="module")
def machines() -> Iterator[Any]:
    """A cluster of three machines, each with a core, to which we are connected."""
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'loadedwords[ray]'")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # on a busy machine its processes would never come to their turn
        machines = Cluster(initialize_head=True, head_node_args=machine())
        try:
            machines.add_node(**machine())
            machines.add_node(**machine())
            ray.init(machines.address, log_to_driver=False, logging_level="error")
            yield machines
        finally:
            ray.shutdown()
            machines.shutdown()


def test_a_machine_that_is_lost_in_mid_run_loses_nothing(
    tmp_path: Path, small_bundle: Path, machines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    lost = machines.add_node(**machine())
    score, begun, where = cluster._score, tmp_path / "begun", lost.node_id

    def never_ends_where_all_is_lost(sent: Any, chunk: Any) -> Any:
        if ray.get_runtime_context().get_node_id() == where:
            begun.touch()
            time.sleep(3600)
        return score(sent, chunk)

    def articles() -> Iterator[Article]:
        yield from articles_of(100)[:50]
        wait_for(begun.exists)
        machines.remove_node(lost, allow_graceful=False)
        yield from articles_of(100)[50:]

    monkeypatch.setattr(shards, "ARTICLES_PER_SHARD", 7)
    monkeypatch.setattr(cluster, "_score", never_ends_where_all_is_lost)
    summary = run(articles(), tmp_path / "cluster", small_bundle, engine="ray")
    assert summary.counts == run(articles_of(100), tmp_path / "local", small_bundle).counts
    assert files(tmp_path / "cluster") == files(tmp_path / "local")
    assert len(files(tmp_path / "local")) == 3 * 15 + 4


def test_a_stopped_run_goes_on_where_it_was(
    tmp_path: Path, small_bundle: Path, machines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "ARTICLES_PER_SHARD", 7)

    def stopped() -> Iterator[Article]:
        yield from articles_of(100)[:80]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(stopped(), tmp_path / "cluster", small_bundle, engine="ray")
    n_done = len(list((tmp_path / "cluster/articles").glob("part-*.parquet")))
    assert n_done >= 11 - 2 * 4  # Ray may take a while to see that a machine is lost
    assert run(articles_of(100), tmp_path / "cluster", small_bundle, engine="ray").n_reused_shards == n_done
    run(articles_of(100), tmp_path / "local", small_bundle)
    assert files(tmp_path / "cluster") == files(tmp_path / "local")


def test_the_command_is_killed_stopped_and_run_again(tmp_path: Path, small_bundle: Path, machines: Any) -> None:
    source = tmp_path / "many.jsonl"
    rows = ({"id": k, "outlet": f"o{k % 5}", "text": f"The reckless plan {k} failed. " * 12} for k in range(6000))
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    command = [sys.executable, "-m", "loadedwords", "score", source, "-m", small_bundle, "--report-articles", "0"]
    command += ["--engine", "ray", "--ray-address", machines.address, "-o", tmp_path / "cluster"]

    def started_until(n_shards: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        done = tmp_path / "cluster/articles"
        wait_for(lambda: process.poll() is not None or len(list(done.glob("part-*.parquet"))) >= n_shards)
        return process

    with started_until(1) as process:
        process.kill()
    with started_until(3) as process:
        process.terminate()  # as Ctrl-C, though Ray would have it otherwise
        out, told = process.communicate()
    assert process.returncode == 1, out
    assert "Interrupted." in told  # a busy Ray may say more of its machines
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert out.startswith("6,000 articles")
    counts = json.loads((tmp_path / "cluster/run.json").read_text())["counts"]
    assert 3 <= counts["shards_reused"] < counts["shards"] == 58
    run(read_articles(source), tmp_path / "local", small_bundle)
    assert files(tmp_path / "cluster") == files(tmp_path / "local")


def test_what_ray_prints_is_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    """It tells of a lost machine on stdout, from a thread of its own, and flushes what is left when it ends."""

    def says(what: str) -> None:
        thread = threading.Thread(target=print, args=(what,))
        thread.start()
        thread.join()

    ray = SimpleNamespace(is_initialized=lambda: False, init=lambda *_, **__: None, shutdown=lambda: says("It ends."))
    with cluster._connected(ray, "local"):
        says("A node has been marked dead.")
    assert capsys.readouterr() == ("", "A node has been marked dead.\nIt ends.\n")


def test_a_model_that_can_not_be_loaded_there_is_told(tmp_path: Path, small_bundle: Path, machines: Any) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in small_bundle.iterdir():
        (broken / file.name).write_bytes(b"no weights" if file.name == "weights.npz" else file.read_bytes())
    config = json.loads((broken / CONFIG_FILE).read_text(encoding="utf-8"))
    config["files"]["weights.npz"] = file_hash(broken / "weights.npz")
    (broken / CONFIG_FILE).write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(LoadedwordsError, match=r"(?s)^The model can't be loaded on .*\nInstall the same versions"):
        run(articles_of(3), tmp_path / "scores", broken, engine="ray")


def test_a_machine_that_lacks_something_is_told(
    tmp_path: Path, small_bundle: Path, machines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacks(sent: Any, chunk: Any) -> Any:
        raise ModuleNotFoundError("No module named 'loadedwords'")

    monkeypatch.setattr(cluster, "_score", lacks)
    with pytest.raises(
        LoadedwordsError, match=r"could not score: ModuleNotFoundError: No module named 'loadedwords'\n"
    ):
        run(articles_of(3), tmp_path, small_bundle, engine="ray")


def test_a_machine_of_another_version_is_told(
    tmp_path: Path, small_bundle: Path, machines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = cluster.metadata.version
    monkeypatch.setattr(cluster.metadata, "version", lambda name: "9.9" if name == "loadedwords" else here(name))
    with pytest.raises(LoadedwordsError, match=r"has loadedwords [\d.]+, where the run was started it is 9.9.\n"):
        run(articles_of(3), tmp_path, small_bundle, engine="ray")


def test_without_ray_the_install_line_is_told(
    tmp_path: Path, small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'loadedwords\[ray\]'"):
        run(articles_of(3), tmp_path, small_bundle, engine="ray")


def test_an_address_without_its_engine_is_refused() -> None:
    ran = CliRunner().invoke(main, ["score", "x.jsonl", "-o", "scores", "--ray-address", "10.0.0.1:6379"])
    assert (ran.exit_code, "--ray-address is for --engine ray" in ran.stderr) == (2, True)

"""What the long runs of Scripts/torture are made of: the tool, the reader, the record of a run."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Iterator

from processes import BINARIES, ROOT, Server, say

FIXTURES = ROOT / "Tests" / "Fixtures" / "python"
sys.path.insert(0, str(FIXTURES))

import compare as reader  # noqa: E402
import milvus_rows  # noqa: E402
from pymilvus.grpc_gen import milvus_pb2  # noqa: E402

# An exit code for a process that had to be killed because it did not end.
TIMED_OUT = 124


def collections(server: Server, database: str) -> list[str]:
    """Of a database that a migration may not have made: none then."""
    reached = milvus_rows.Server(server.uri, database=database)
    if database not in reached.call("ListDatabases", milvus_pb2.ListDatabasesRequest()).db_names:
        return []
    return sorted(reached.call(
        "ShowCollections", milvus_pb2.ShowCollectionsRequest()).collection_names)


def drop(server: Server, database: str) -> None:
    """Makes room: a database with all that is in it."""
    reached = milvus_rows.Server(server.uri, database=database)
    with contextlib.suppress(milvus_rows.ServerRefused):
        for name in collections(server, database):
            reached.call("DropCollection", milvus_pb2.DropCollectionRequest(collection_name=name))
        reached.call("DropDatabase", milvus_pb2.DropDatabaseRequest(db_name=database))


class Job:
    """One migration by the real binary, in a home of its own."""

    def __init__(self, directory: Path, name: str, text: str) -> None:
        self.name, self.home = name, directory / "home"
        self.file = directory / f"{name}.yaml"
        self.file.write_text(text)
        self.log = directory / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def directory(self) -> Path:
        return self.home / "jobs" / self.name

    def start(self, *options: str) -> None:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(BINARIES / "stopover"), "run", str(self.file), "--job", self.name, *options],
                env={**os.environ, "STOPOVER_HOME": str(self.home)}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)

    def wait(self, seconds: float) -> int | None:
        """Its exit code, or None when it still runs."""
        assert self.process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        return None

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait(30)

    def wait_for(self, seen: Any, seconds: float = 30) -> bool:
        """Until `seen` or the end of the process."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.wait(0) is None:
            if seen():
                return True
            time.sleep(0.001)
        return bool(seen())

    def result(self) -> dict[str, Any] | None:
        """Of its only transfer; None when it has not ended."""
        path = self.directory / "result.json"
        return json.loads(path.read_text())["transfers"][0] if path.exists() else None

    def chunks(self) -> list[Path]:
        return sorted((self.directory / "spool").glob("*.chunk"))

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *_: Any) -> None:
        if self.process is not None and self.wait(0) is None:
            self.kill()


def compared(source: str, source_name: tuple[str, str], target: str, target_name: tuple[str, str],
             *options: str) -> dict[str, Any]:
    """{equal, lost, doubled, other, error} of two collections, by the independent reader."""
    arguments = argparse.Namespace(
        source=source, source_db=source_name[0], source_collection=source_name[1], source_token="",
        target=target, target_db=target_name[0], target_collection=target_name[1], target_token="",
        drop_field=[], ignore_key="--ignore-key" in options, by_partition=True, whole=False,
        limit=1 << 30)
    found = {"equal": False, "lost": 0, "doubled": 0, "other": 0, "error": ""}
    try:
        result = reader.compare(arguments)
    except Exception as error:  # whatever it is, nothing is known, and it must be seen
        return {**found, "error": milvus_rows.reason(error)}
    for difference in result["differences"]:
        match difference["what"]:
            case "row missing in the target":
                found["lost"] += 1
            case "row only in the target" | "a key was returned twice" | "row too often in the target":
                found["doubled"] += 1
            case _:
                found["other"] += 1
    return {**found, "equal": result["equal"]}


def seed(server: Server, rows: int, kind: str, *options: str) -> None:
    run = subprocess.run(
        [sys.executable, str(FIXTURES / "seed_packages.py"), "--uri", server.uri, "--collection",
         "packages", "--rows", str(rows), "--for", kind, *options],
        capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(run.stderr)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="stopover-torture-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Record:
    """The totals of a mode, kept in a file after each step, so that an interrupted run goes on; and
    the line that says it all, in a Markdown file."""

    def __init__(self, out: Path, mode: str, variant: str, seed_number: int) -> None:
        self.path = out / f"{mode}{variant}.state.json"
        self.page = out / "torture.md"
        self.mode = mode
        self.totals: dict[str, Any] = {
            "seed": seed_number, "points": 0, "migrations": 0, "lost": 0, "doubled": 0,
            "other": 0, "reruns": 0, "seconds": 0.0, "kinds": {}, "unexpected": [], "done": []}
        if self.path.exists():
            self.totals = json.loads(self.path.read_text())
            say(f"{mode}: carries on at {self.totals['points']} points ({self.path})")
        self.begun = time.monotonic()

    def add(self, points: int = 0, **more: Any) -> None:
        totals = self.totals
        totals["points"] += points
        totals["seconds"] += time.monotonic() - self.begun
        self.begun = time.monotonic()
        for key, value in more.items():
            match value:
                case dict():
                    totals["kinds"] = dict(Counter(totals["kinds"]) + Counter(value))
                case list():
                    totals[key] += value
                case _:
                    totals[key] += value
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(totals))
        part.replace(self.path)

    @property
    def is_bad(self) -> bool:
        totals = self.totals
        return bool(totals["lost"] or totals["doubled"] or totals["other"] or totals["unexpected"])

    def finish(self, noun: str, command: str, judged: bool = True, note: str = "") -> int:
        totals = self.totals
        commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
                                capture_output=True, text=True).stdout.strip()
        commit = os.environ.get("STOPOVER_COMMIT") or commit or "unknown"
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(totals["kinds"].items()))
        rows = (f", {totals['lost']} rows lost, {totals['doubled']} rows doubled, "
                f"{totals['other']} other differences" if judged else "")
        line = (f"**{self.mode}**: {totals['points']:,} {noun} in {totals['migrations']:,} "
                f"migrations{rows}, {len(totals['unexpected'])} unexpected ends"
                f"{'; ' + note if note else ''}{'; ' + kinds if kinds else ''}; "
                f"`{command}` (seed {totals['seed']}), {totals['seconds'] / 60:.0f} min, "
                f"commit {commit}, {time.strftime('%Y-%m-%d')}")
        if not self.page.exists():
            self.page.write_text("# The long runs, as they ended\n\nWritten by `Scripts/torture`, "
                                 "the newest last.\n")
        with open(self.page, "a") as page:
            page.write(f"\n* {line}\n")
            for end in totals["unexpected"][:20]:
                page.write(f"    * {end}\n")
        # The next run of this mode begins anew; what this one did is on the page.
        self.path.unlink(missing_ok=True)
        print(line.replace("**", ""), flush=True)
        return 1 if self.is_bad else 0

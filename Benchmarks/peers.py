"""Stopover beside the script that most people write (client_script.py): the same rows, the same servers, in
turn, each run a process of its own. Wall time and processor time are of the whole client process. The
last line of its output is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from pymilvus import MilvusClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Scripts"))

from processes import (BINARIES, ROOT, Measured, Server, bench_command, bench_samples,  # noqa: E402
                       measure, say, twin)

# Of either side, with so many requests at once.
ALONE_SECONDS = 4
ALONE_REQUESTS = "4"


class Stage:
    """A source with rows and a target, for all runs."""

    def __init__(self, arguments: argparse.Namespace, stack: ExitStack, directory: Path) -> None:
        self.arguments, self.directory = arguments, directory
        generated = twin("--generate", f"default.rows={arguments.rows}",
                         "--dim", str(arguments.dim))
        if arguments.server == "twin":
            self.source = stack.enter_context(generated)
            # What is read back has to be kept. Where it is not, the first touch of fresh memory is not
            # part of the figures, which on a virtual machine can be half of what the server takes.
            self.keeps = bool({"counts", "digest"} & set(arguments.only or []))
            self.target = stack.enter_context(
                twin("--store", "memory" if self.keeps else "tally"))
            return
        self.source = stack.enter_context(Server(arguments.server, directory / "source"))
        self.target = stack.enter_context(Server(arguments.server, directory / "target"))
        with generated:
            say(f"filling the source with {arguments.rows:,} rows")
            measure(self.migration("fill", generated.uri, self.source.uri, "rows", "auto"))
        client = MilvusClient(self.source.uri)
        client.load_collection("rows")

    def file(self, job: str, source: str, target: str, name: str, indexes: str = "none",
             verify: str = "counts") -> str:
        file = self.directory / f"{job}.yaml"
        file.write_text(
            f'source: {{uri: "{source}"}}\ntarget: {{uri: "{target}"}}\n'
            f'collections: [{{source: default.rows, target: default.{name}, indexes: {indexes}}}]\n'
            f'limits: {{spool_packing: {self.arguments.packing}}}\nverify: {verify}\n')
        return str(file)

    def migration(self, job: str, *migrated: str) -> list[str]:
        return [str(BINARIES / "stopover"), "run", self.file(job, *migrated), "--home",
                str(self.directory / "home"), "--job", job, "--quiet"]

    @cache
    def rows(self) -> Any:
        """What the source's rows sum up to."""
        return self.source.ask("tally default.rows")["tally"]

    def drop(self) -> None:
        """Drops the copy; one in our own server is compared with its source first, value by value."""
        if self.arguments.server == "twin" and not self.keeps:
            wanted, found = self.rows(), self.target.ask("tally default.copy")["tally"]
            if wanted != found:
                raise RuntimeError(f"the copy sums up to {found}, its source to {wanted}")
        MilvusClient(self.target.uri).drop_collection("copy")

    # --- the tools ---

    def stopover(self, number: int) -> Measured:
        return measure(self.migration(f"run{number}", self.source.uri, self.target.uri, "copy"))

    def counts(self, number: int) -> Measured:
        """With the index and the count that `digest` has, too."""
        return measure(self.migration(f"counts{number}", self.source.uri, self.target.uri, "copy",
                                      "auto"))

    def digest(self, number: int) -> Measured:
        return measure(self.migration(f"digest{number}", self.source.uri, self.target.uri, "copy",
                                      "auto", "digest"))

    def alone(self, _: int) -> Measured:
        """What the sides cost alone, by `stopover bench`: the wall of the slower, the processor of both."""
        file = self.file("alone", self.source.uri, self.target.uri, "copy")
        ended = measure(bench_command(file, ["source", "target"], ALONE_SECONDS, ALONE_REQUESTS))
        sides, rows = bench_samples(ended.output), self.arguments.rows
        return Measured(wall=max(rows * one["seconds"] / one["rows"] for one in sides),
                        cpu=sum(rows * one["cpuSeconds"] / one["rows"] for one in sides),
                        peak_mib=ended.peak_mib, output=ended.output)

    def script(self, number: int) -> Measured:
        client = MilvusClient(self.target.uri)
        schema = client.create_schema(auto_id=False)
        from pymilvus import DataType
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self.arguments.dim)
        schema.add_field("bucket", DataType.INT64)
        schema.add_field("title", DataType.VARCHAR, max_length=32)
        client.create_collection("copy", schema=schema)
        ended = measure([sys.executable, str(ROOT / "Benchmarks" / "client_script.py"),
                         self.source.uri, "rows", self.target.uri, "copy"])
        copied = int(ended.output.split()[-1])
        if copied != self.arguments.rows:
            raise RuntimeError(f"the script copied {copied} rows")
        return ended


def main() -> None:
    parser = argparse.ArgumentParser(prog="Benchmarks/peers", description=__doc__)
    parser.add_argument("--server", choices=["twin", "lite3", "standalone"], default="twin")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--packing", choices=["fast", "compact", "auto"], default="fast")
    parser.add_argument("--only", choices=["stopover", "script", "counts", "digest", "alone"],
                        action="append", help="counts, digest: what verifying costs beside the load; "
                        "alone: what reading and inserting cost alone")
    arguments = parser.parse_args()
    # As bytes of the columns: two numbers of about 2 bytes, a text of 12, and the vector.
    gigabytes = arguments.rows * (arguments.dim * 4 + 24) / 1e9

    tools = arguments.only or ["stopover", "script"]
    runs: dict[str, list[Measured]] = {tool: [] for tool in tools}
    with tempfile.TemporaryDirectory(prefix="stopover-peers-") as directory, ExitStack() as stack:
        stage = Stage(arguments, stack, Path(directory))
        for number in range(arguments.runs):
            for tool in tools:
                ended = getattr(stage, tool)(number)
                if tool != "alone":
                    stage.drop()
                runs[tool].append(ended)
                say(f"{tool}: {ended.wall:.2f} s, {ended.cpu:.2f} s of CPU "
                    f"({ended.cpu / gigabytes:.2f} s a GB), {ended.peak_mib:.0f} MiB")
    found: dict[str, Any] = {"server": arguments.server, "rows": arguments.rows,
                             "dimension": arguments.dim, "gigabytes": round(gigabytes, 3),
                             "runs": arguments.runs, "packing": arguments.packing}
    for tool, measured in runs.items():
        wall = statistics.median(one.wall for one in measured)
        cpu = statistics.median(one.cpu for one in measured)
        found[tool] = {"wallSeconds": round(wall, 2), "cpuSeconds": round(cpu, 2),
                       "cpuSecondsPerGB": round(cpu / gigabytes, 3),
                       "rowsPerSecond": round(arguments.rows / wall),
                       "peakMiB": round(max(one.peak_mib for one in measured))}
    for tool in tools[1:]:
        found[f"{tool}To{tools[0].capitalize()}"] = {
            key: round(found[tool][key] / found[tools[0]][key], 2)
            for key in ("wallSeconds", "cpuSeconds")}
    print(json.dumps(found))


if __name__ == "__main__":
    main()

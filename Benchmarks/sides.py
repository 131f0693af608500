"""A real server on one side, a server of ours on the other: how much of what the slower side gives alone
does a whole migration get? `stopover bench` measures the source alone, the target alone, and both, each
once the real server has come to rest (a target is a new one each time), and in turn in both orders. Both
together begin with the number of requests at once that was best of the real server in the measurements
before, as `stopover bench` does it, and are compared with the number that is best of it in all. The real
server has half of the processors and the disk to itself (our spool is in memory), as it would on a machine
of its own, in all three; else what our side costs would be missing from it. The last line of the output is
JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from pymilvus import MilvusClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Scripts"))

from processes import (BINARIES, Server, bench_command, bench_samples, measure, say,  # noqa: E402
                       twin)

# Of our own source: more than any target here takes in the time.
GENERATED = 5_000_000
# Of the spool.
MEMORY = "/dev/shm"
# A server rests when it has used this little processor in each of so many seconds.
CALM_CPU = 0.1
CALM_SECONDS = 5
# A source that was just filled: in the first minutes 2.3.5 gives a job a tenth less than a bench of it,
# its processor busier for a row, though it rests, and `compact` does not help; later it gives both the same.
SETTLE_SECONDS = {"standalone": 480, "lite3": 0}
# The server of ours by itself: only which side is slower is asked of it.
OURS_SECONDS = 4
# At either end of a measurement, in which the server is not looked at.
EDGE_SECONDS = 3
SIDES = ("source", "target", "both")


class Halves:
    """The real server has the first half of the processors; this process and all that it starts itself the
    other one."""

    def __init__(self) -> None:
        self.all = os.sched_getaffinity(0)
        processors = sorted(self.all)
        half = max(len(processors) // 2, 1)
        self.real, self.ours = processors[:half], processors[half:] or processors

    def server(self, kind: str, directory: Path) -> Server:
        os.sched_setaffinity(0, self.real)
        try:
            return Server(kind, directory)
        finally:
            os.sched_setaffinity(0, self.ours)

    def __enter__(self) -> Self:
        os.sched_setaffinity(0, self.ours)
        return self

    def __exit__(self, *_: object) -> None:
        os.sched_setaffinity(0, self.all)


def make_readable(uri: str) -> None:
    """Loads the collection, with an index that costs nothing to build: half a machine takes minutes for a
    graph."""
    client = MilvusClient(uri)
    fields = client.describe_collection("rows")["fields"]
    indexes = client.prepare_index_params()
    for field in fields:
        if "dim" in field["params"]:
            indexes.add_index(field["name"], index_type="FLAT", metric_type="L2")
    client.create_index("rows", indexes)
    client.load_collection("rows")


def migration(file: Path, source: str, target: str, arguments: argparse.Namespace) -> str:
    file.write_text(f'source: {{uri: "{source}"}}\ntarget: {{uri: "{target}"}}\n'
                    f"collections: [{{source: default.rows, indexes: none}}]\n"
                    f"limits: {{{arguments.limits}}}\n"
                    "verify: counts\n")
    return str(file)


def bench(arguments: argparse.Namespace, side: str, directory: Path) -> dict[str, Any]:
    """Medians of the runs: rows a second of each side alone, with the best number of requests at once, and
    of both; the part that both get of the slower side; how many processors the real server uses meanwhile.
    """
    with ExitStack() as stack:
        halves = stack.enter_context(Halves())
        rows = arguments.rows if side == "source" else GENERATED
        ours = stack.enter_context(
            twin("--generate", f"default.rows={rows}", "--dim", str(arguments.dim)))
        if side == "source":
            source = stack.enter_context(halves.server(arguments.server, directory / "source"))
            say(f"filling the source with {rows:,} rows")
            file = migration(directory / "fill.yaml", ours.uri, source.uri, arguments)
            measure([str(BINARIES / "stopover"), "run", file, "--home", str(directory / "home"),
                     "--job", "fill", "--quiet"])
            make_readable(source.uri)
            target = stack.enter_context(twin("--store", "tally"))

        # Rows a second of the real server alone, by the number of requests at once, of each measurement.
        alone: list[dict[int, float]] = []

        def once(measured: str) -> dict[str, float]:
            requests = str(best(alone)) if measured == "both" else arguments.requests
            file = directory / "bench.yaml"
            seconds = arguments.seconds if measured in (side, "both") else OURS_SECONDS
            if side == "source":
                samples, busy = measured_once(migration(file, source.uri, target.uri, arguments),
                                              measured, requests, seconds, source)
            else:
                # A target that was written to before is slower by a tenth, long after it has come to rest.
                with halves.server(arguments.server, directory / "target") as real:
                    samples, busy = measured_once(migration(file, ours.uri, real.uri, arguments),
                                                  measured, requests, seconds, real)
            rates = {sample["requestsAtOnce"]: sample["rows"] / sample["seconds"] for sample in samples}
            if measured == side:
                alone.append(rates)
            number = best([rates])
            return {measured: round(rates[number]), f"{measured}Requests": number,
                    f"{measured}Busy": round(busy, 3)}

        if side == "source":
            # What is read for the first time after it was filled, 2.3.5 is busy with for half a minute.
            say(f"the first time: {once(side)}")
            time.sleep(SETTLE_SECONDS[arguments.server])
        runs = []
        first = len(alone)
        for number in range(arguments.runs):
            run: dict[str, float] = {}
            for measured in SIDES if number % 2 == 0 else reversed(SIDES):
                run |= once(measured)
            runs.append(run)
            say(f"{arguments.server} as {side}: {run}")
        # One number for all runs: the faster of two in each would be the luckier one.
        number = best(alone[first:])
        for run, rates in zip(runs, alone[first:], strict=True):
            run |= {side: round(rates[number]), f"{side}Requests": number}
            run["partOfSlower"] = round(run["both"] / min(run["source"], run["target"]), 3)
        say(f"both of the slower: {sorted(run['partOfSlower'] for run in runs)}")
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def best(measurements: list[dict[int, float]]) -> int:
    """The number of requests at once that was the fastest."""
    return max(measurements[0], key=lambda number: sum(rates[number] for rates in measurements))


def measured_once(file: str, side: str, requests: str, length: int,
                  real: Server) -> tuple[list[dict[str, Any]], float]:
    """A sample for each number of requests at once, and how many processors the real server used."""
    rest(real)
    process = subprocess.Popen(
        bench_command(file, [side], length, requests),
        stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": MEMORY})
    seconds = []
    while process.poll() is None:
        seconds.append(used(real))
    assert process.stdout is not None
    if process.returncode != 0:
        sys.exit(process.stdout.read())
    samples = bench_samples(process.stdout.read())
    # Without its beginning and its end: collections are made and dropped there.
    busy = seconds[EDGE_SECONDS:-EDGE_SECONDS] or seconds
    return samples, statistics.mean(busy)


def rest(server: Server) -> None:
    """Until the server and the disk are done with what was written before: it builds an index, it
    compacts."""
    os.sync()
    calm = 0
    while calm < CALM_SECONDS:
        calm = calm + 1 if used(server) < CALM_CPU else 0


def used(server: Server) -> float:
    """Processors that the server uses, over a second from now."""
    begun, before = time.monotonic(), spent(server)
    time.sleep(1)
    return (spent(server) - before) / (time.monotonic() - begun)


def spent(server: Server) -> float:
    """Seconds of processor of the server and of what it started."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if server.pid in (int(path.parent.name), int(fields[1])):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(prog="Benchmarks/sides", description=__doc__)
    parser.add_argument("--server", choices=["lite3", "standalone"], default="lite3")
    parser.add_argument("--rows", type=int, default=60_000,
                        help="of a real source, which has to be filled: more than it gives in the time")
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--seconds", type=int, default=20, help="of each measurement of the real server")
    parser.add_argument("--requests", default="1,2,4", help="at once, that are tried on either side")
    parser.add_argument("--runs", type=int, default=1, help="of which the medians are taken")
    parser.add_argument("--limits", default="",
                        help='of the migration, as "read_rows_per_second: 12000"')
    parser.add_argument("--side", choices=["source", "target"], action="append")
    arguments = parser.parse_args()
    found: dict[str, Any] = {"server": arguments.server, "rows": arguments.rows,
                             "dimension": arguments.dim, "seconds": arguments.seconds,
                             "runs": arguments.runs}
    with tempfile.TemporaryDirectory(prefix="stopover-sides-") as directory:
        for side in arguments.side or ["target", "source"]:
            found[side] = bench(arguments, side, Path(directory))
    print(json.dumps(found))


if __name__ == "__main__":
    main()

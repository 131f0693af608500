"""A migration of generated rows between two of our own servers: killed half way, carried on, and watched:
rows, memory, ledger and spool over time. The last line of its output is JSON; with --out it writes a
plot and a line of evidence, too.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processes import BINARIES, ROOT, measure, twin

sys.path.insert(0, str(ROOT / "Benchmarks"))

from plot import Line, Panel, page  # noqa: E402

SAMPLE_SECONDS = 1.0


@dataclass
class Sample:
    seconds: float
    rows: int
    rss_mib: float
    ledger_mib: float
    spool_mib: float


@dataclass
class Watch:
    """One job over all of its processes."""

    directory: Path
    begun: float = field(default_factory=time.monotonic)
    rows: int = 0
    # The last thing that the tool said.
    last: str = ""
    samples: list[Sample] = field(default_factory=list)

    def follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            record = json.loads(line)
            self.last = line
            if record["type"] == "progress":
                self.rows = record["transfers"][0]["rowsLoaded"]

    def sample(self, pid: int) -> None:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return
        if pages == 0:
            return
        self.samples.append(Sample(
            time.monotonic() - self.begun, self.rows,
            pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20),
            mib(self.directory.glob("ledger.sqlite*")), mib(self.directory.glob("spool/*"))))


def mib(paths: Any) -> float:
    total = 0
    for path in paths:
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total / (1 << 20)


def rate(samples: list[Sample]) -> float:
    """Rows a second between the first and the last."""
    first, last = samples[0], samples[-1]
    return (last.rows - first.rows) / max(last.seconds - first.seconds, 0.001)


def tenths(samples: list[Sample]) -> tuple[float, float]:
    """Rows a second within the first and within the last tenth of the rows: from the first sample to the last
    that lies in it, since a sample is two seconds, and a tenth may be ten times that."""
    most = samples[-1].rows
    first = [sample for sample in samples if 0 < sample.rows <= most / 10]
    last = [sample for sample in samples if most * 0.9 <= sample.rows < most]
    return (rate(first if len(first) > 1 else samples), rate(last if len(last) > 1 else samples))


def main() -> int:
    parser = argparse.ArgumentParser(prog="Scripts/rehearsal", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--dim", type=int, default=8)
    parser.add_argument("--keys", choices=["int64", "varchar"], default="int64")
    parser.add_argument("--minutes", type=float, help="interrupted after so long")
    parser.add_argument("--no-kill", action="store_true", help="let it run through")
    parser.add_argument("--verify", action="store_true",
                        help="compare the target with what was sent, afterwards: with --no-kill")
    parser.add_argument("--limits", default="", help="for the migration, as `cursors: 2`")
    parser.add_argument("--out", help="a directory for the plot and the line of evidence")
    arguments = parser.parse_args()

    generated = ["--generate", f"default.rows={arguments.rows}", "--dim", str(arguments.dim),
                 "--keys", arguments.keys]
    with (twin(*generated) as source,
          # What a killed run left in doubt is upserted, which a server that only sums up cannot.
          twin("--store", "tally" if arguments.no_kill else "memory") as target,
          tempfile.TemporaryDirectory(prefix="stopover-rehearsal-") as home):
        file = Path(home) / "rehearsal.yaml"
        file.write_text(f'source: {{uri: "{source.uri}"}}\ntarget: {{uri: "{target.uri}"}}\n'
                        f'limits: {{write_timeout_seconds: 5, {arguments.limits}}}\n'
                        # A tally keeps no rows that could be read back.
                        'verify: counts\n')
        command = [str(BINARIES / "stopover"), "run", str(file), "--home", home, "--job",
                   "rehearsal", "--json"]
        watch = Watch(Path(home) / "jobs" / "rehearsal")
        deadline = time.monotonic() + arguments.minutes * 60 if arguments.minutes else None
        kills = 0
        cpu = 0.0
        while True:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            follower = threading.Thread(target=watch.follow, args=(process,))
            follower.start()
            stopped = False
            while process.poll() is None:
                time.sleep(SAMPLE_SECONDS)
                watch.sample(process.pid)
                now = time.monotonic()
                is_half = (watch.rows * 2 >= arguments.rows
                           or (deadline and (now - watch.begun) * 2 >= deadline - watch.begun))
                if is_half and not kills and not arguments.no_kill:
                    cpu += spent(process.pid)
                    process.kill()
                    kills += 1
                    break
                if deadline and now > deadline and not stopped:
                    cpu += spent(process.pid)
                    process.send_signal(signal.SIGINT)
                    stopped = True
                last_spent = spent(process.pid) or 0.0
            code = process.wait()
            follower.join()
            if code != -signal.SIGKILL:
                cpu += 0.0 if stopped else last_spent
                break
        assert process.stdout is not None
        output = process.stdout.read()
        if code not in (0, 130):
            sys.stderr.write(f"exit {code}: {watch.last}{output}")
            return 1
        is_equal: bool | None = None
        target_mib = int(Path(f"/proc/{target.process.pid}/statm").read_text().split()[1]) / 256
        print(f"the target holds {target_mib:.0f} MiB", file=sys.stderr)
        if code == 0:
            result = json.loads(output.splitlines()[-1])
            tallies = [server.ask("tally default.rows") for server in (source, target)]
            sums = [tally["tally"] for tally in tallies]
            is_equal = sums[0] == sums[1] and result["verdict"] == "COMPLETE"
            if not is_equal:
                print(f"{result['verdict']}: source {sums[0]}, target {sums[1]}", file=sys.stderr)
        proof = None
        if arguments.verify and is_equal:
            target.stop()
            proof = verified(arguments, generated, target.port, home)
        return report(arguments, watch, kills, cpu, is_equal, proof)


def verified(arguments: argparse.Namespace, generated: list[str], port: int,
             home: str) -> dict[str, Any]:
    """What `stopover verify` finds and takes. A tally keeps no rows: a server that computes the same
    ones stands in its place."""
    with twin(*generated, port=port):
        ended = measure([str(BINARIES / "stopover"), "verify", "rehearsal", "--home", home, "--json",
                         "--quiet"])
    result = json.loads(ended.output.splitlines()[-1])
    proof = result["transfers"][0]["verification"]
    return {"verdict": result["verdict"], "chunks": proof["chunks"],
            "equalChunks": proof["equalChunks"], "comparedRows": proof["comparedRows"],
            "seconds": round(ended.wall, 1), "cpuSeconds": round(ended.cpu, 1),
            "rowsPerSecond": round(proof["comparedRows"] / max(proof["seconds"], 0.01)),
            "peakMiB": round(ended.peak_mib),
            "receiptMiB": round(mib(Path(home).glob("jobs/*/receipt.json")), 1)}


def spent(pid: int) -> float:
    """Seconds of processor that a process has used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(arguments: argparse.Namespace, watch: Watch, kills: int, cpu: float,
           is_equal: bool | None, proof: dict[str, Any] | None) -> int:
    samples = watch.samples
    first, last = tenths(samples)
    settled = samples[len(samples) // 4:]
    found = {
        "rows": arguments.rows, "dimension": arguments.dim, "keys": arguments.keys,
        "rowsLoaded": watch.rows, "kills": kills, "isEqual": is_equal,
        "seconds": round(samples[-1].seconds, 1), "rowsPerSecond": round(rate(samples)),
        "cpuSeconds": round(cpu, 1), "rowsPerCPUSecond": round(watch.rows / max(cpu, 0.01)),
        "firstTenth": round(first), "lastTenth": round(last),
        "lastToFirst": round(last / max(first, 1), 3),
        "peakMiB": round(max(sample.rss_mib for sample in samples)),
        "settledMiB": [round(min(sample.rss_mib for sample in settled)),
                       round(max(sample.rss_mib for sample in settled))],
        "ledgerMiB": round(samples[-1].ledger_mib, 1),
        "ledgerBytesPerMillionRows": round(samples[-1].ledger_mib * (1 << 20)
                                           / max(watch.rows / 1e6, 1e-6)),
    }
    if proof:
        found["verification"] = proof
    if arguments.out:
        name = f"rehearsal-{arguments.rows}-{arguments.dim}-{arguments.keys}"
        out = Path(arguments.out)
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{name}.svg").write_text(plot(arguments, samples))
        (out / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found))
    return 0 if is_equal in (True, None) else 3


def plot(arguments: argparse.Namespace, samples: list[Sample]) -> str:
    """Rates over windows of a hundredth of the run."""
    step = max(len(samples) // 100, 1)
    marks = samples[::step]
    rates = [(right.seconds, rate([left, right]) / 1000) for left, right in zip(marks, marks[1:])]
    return page(
        f"{arguments.rows:,} rows, dimension {arguments.dim}, {arguments.keys} keys",
        "seconds",
        [Panel("thousand rows a second", [Line("", rates)]),
         Panel("resident MiB", [Line("", [(s.seconds, s.rss_mib) for s in marks])]),
         Panel("MiB on disk", [Line("ledger", [(s.seconds, s.ledger_mib) for s in marks]),
                               Line("spool", [(s.seconds, s.spool_mib) for s in marks])])])


if __name__ == "__main__":
    sys.exit(main())

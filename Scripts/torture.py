"""The long runs. Each prints what it does, can be interrupted and started again with the same
command, and ends with one line that it also adds to OUT/torture.md.

    sim          schedules of the load simulation (--count)
    kill         kill -9 of the binary at random moments, over a failing network (--count kills)
    server-kill  kill -9 of the target under load (--count kills)
    proxy        a failing network before the target and before the source (--count faults)
    rot          one bit flipped in each byte of a chunk and of the ledger (--count bytes)
    soak         full rate over a failing network, memory and descriptors watched (--minutes)
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator

from processes import BINARIES, ROOT, Piped, Server, say
from torture_rot import rot
from torture_soak import soak
from torture_stage import TIMED_OUT, Job, Record, collections, compared, drop, scratch, seed

ROWS = 6000
# Kills of one migration; then it may come to its end.
KILLS_OF_ROUND = 24
# How long a migration may take once nothing disturbs it.
PATIENCE_SECONDS = 600


def migration(source: str, target: str, database: str, auto_id: str) -> str:
    # Small pages make many chunks, so that every moment of the pipeline is met.
    return f"""
source: {{uri: "{source}"}}
target: {{uri: "{target}"}}
collections: [{{source: packages, target: {database}.packages, auto_id: {auto_id}}}]
limits: {{page: 128KiB, write_timeout_seconds: 2}}
"""


class Rounds:
    """Migrations, one after the other, until enough points are counted."""

    def __init__(self, arguments: argparse.Namespace, record: Record, directory: Path) -> None:
        self.arguments, self.record, self.directory = arguments, record, directory
        self.kind = "standalone" if arguments.standalone else "lite3"
        self.random = random.Random()
        self.auto_id = "keep"

    def __enter__(self) -> Rounds:
        with contextlib.ExitStack() as stack:
            self.source = stack.enter_context(Server("lite3", self.directory / "source"))
            self.target = stack.enter_context(Server(self.kind, self.directory / "target"))
            seed(self.source, ROWS, self.kind)
            self.servers = stack.pop_all()
        return self

    def __exit__(self, *_: Any) -> None:
        self.servers.close()

    @property
    def left(self) -> int:
        return self.arguments.count - self.record.totals["points"]

    def begin(self) -> str:
        """The name of the next migration, whose chances follow from the seed and its number. Every
        other one of a side has keys of the target's making."""
        number = self.record.totals["migrations"] + 1
        self.random = random.Random(f"{self.record.totals['seed']}/{number}")
        self.auto_id = "regenerate" if number // 2 % 2 else "keep"
        return f"m{number}"

    def moment(self, shortest: float, longest: float) -> float:
        """Evenly over the orders of magnitude: the beginning often, the end sometimes."""
        return shortest * (longest / shortest) ** self.random.random()

    def again(self, job: Job, code: int | None) -> bool:
        """Whether it is to be started again: what the tool says of exit code 1."""
        if code is None or code == 0:
            return False
        if code not in (1, TIMED_OUT):
            self.unexpected(job, f"exit {code}")
            return False
        self.record.add(reruns=1)
        time.sleep(0.5)
        job.start()
        return True

    def unexpected(self, job: Job, what: str) -> None:
        kept = Path(self.arguments.out) / "kept" / f"{self.record.mode}-{job.name}"
        shutil.copytree(job.directory, kept, ignore=shutil.ignore_patterns("*.chunk"),
                        dirs_exist_ok=True)
        (kept / "log").write_bytes(job.log.read_bytes()[-200_000:])
        last = job.log.read_text(errors="replace").strip().splitlines()[-2:]
        self.record.add(unexpected=[f"{job.name}: {what}: {' '.join(last)} ({kept.name})"])
        say(f"UNEXPECTED {job.name}: {what}: {' '.join(last)}")

    def finish(self, job: Job) -> bool:
        """Runs it to its end, undisturbed."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            code = job.wait(1)
            if code == 0:
                return True
            if code is not None and not self.again(job, code):
                return False
        self.unexpected(job, f"did not end within {PATIENCE_SECONDS} s")
        return False

    def judge(self, job: Job, points: int, **more: Any) -> None:
        source, target = self.source, self.target
        found = compared(source.uri, ("default", "packages"), target.uri, (job.name, "packages"),
                         *(["--ignore-key"] if self.auto_id == "regenerate" else []))
        if not found["equal"]:
            self.unexpected(job, f"the rows are not equal: {found}")
        left = [name for name in collections(target, job.name) if name != "packages"]
        if left:
            say(f"{job.name}: left on the target: {left}")
            more["kinds"] = {**more.get("kinds", {}), "collections left over": len(left)}
        if (result := job.result()) and self.auto_id == "regenerate":
            more["kinds"] = {**more.get("kinds", {}), **acknowledged_and_lost(result)}
        self.record.add(points, migrations=1, lost=found["lost"], doubled=found["doubled"],
                        other=found["other"], **more)
        drop(target, job.name)
        totals = self.record.totals
        say(f"{self.record.mode}: {totals['points']}/{self.arguments.count} points, "
            f"{totals['migrations']} migrations, {totals['lost']} lost, "
            f"{totals['doubled']} doubled, {len(totals['unexpected'])} unexpected")

    def accepted(self, job: Job) -> None:
        """Started, and its plan made."""
        job.start()
        job.wait_for((job.directory / "plan.json").exists)

    # --- modes ---------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def proxied(self, *options: str) -> Iterator[tuple[Piped, Job]]:
        """The next migration, its target or its source behind a failing network, in turn."""
        source, target = self.source, self.target
        name = self.begin()
        is_target = (self.record.totals["migrations"] % 2 == 0 if self.arguments.side == "both"
                     else self.arguments.side == "target")
        server = target if is_target else source
        with Piped("fault-proxy", "--to", str(server.port), *options) as proxy:
            text = migration(source.uri if is_target else proxy.uri,
                             proxy.uri if is_target else target.uri, name, self.auto_id)
            with Job(self.directory, name, text) as job:
                # A plan is not made over a failing network: it would be refused, and rightly.
                self.accepted(job)
                proxy.ask(f"faults {self.random.getrandbits(60)}")
                yield proxy, job

    def kill(self) -> None:
        while self.left > 0:
            kills = 0
            with self.proxied() as (proxy, job):
                while kills < min(KILLS_OF_ROUND, self.left):
                    code = job.wait(self.moment(0.03, 4))
                    if code is None:
                        job.kill()
                        kills += 1
                        job.start()
                    elif not self.again(job, code):
                        break
                met = proxy.ask("calm")["faults"]
                self.finish(job)
                self.judge(job, kills, kinds=met)

    def server_kill(self) -> None:
        while self.left > 0:
            name, kills = self.begin(), 0
            text = migration(self.source.uri, self.target.uri, name, self.auto_id)
            with Job(self.directory, name, text) as job:
                self.accepted(job)
                while kills < min(4, self.left):
                    code = job.wait(self.moment(0.05, 3))
                    if code is None:
                        self.target.kill()
                        kills += 1
                        time.sleep(self.random.random())
                        self.target.restart()
                    elif not self.again(job, code):
                        break
                self.finish(job)
                self.judge(job, kills)

    def proxy(self) -> None:
        while self.left > 0:
            with self.proxied("--pause", "0.6") as (proxy, job):
                deadline = time.monotonic() + 20
                while time.monotonic() < deadline:
                    code = job.wait(1)
                    if code is not None and not self.again(job, code):
                        break
                met = proxy.ask("calm")["faults"]
                self.finish(job)
                self.judge(job, sum(met.values()), kinds=met)


def acknowledged_and_lost(result: dict[str, Any]) -> dict[str, int]:
    """What became of acknowledged rows, where their keys tell: those that came into doubt before
    they were durable were inserted again; what the target still had of them was found and deleted
    (with rows of requests that were never acknowledged), the rest it had lost."""
    return {"acknowledged rows inserted again": result["rewrittenRows"],
            "of them lost by the target": result.get("lostRows") or 0,
            "rows of requests in doubt deleted": result.get("sweptRows") or 0}


def simulate(arguments: argparse.Namespace, record: Record) -> int:
    """In steps of both kinds of keys side by side, so that an interruption loses one at most."""
    step = 50_000
    while (left := arguments.count - record.totals["points"]) > 0:
        first = arguments.seed + record.totals["points"]
        seeds = min(step, (left + 1) // 2)
        runs = {keys: subprocess.Popen(
            [str(BINARIES / "load-simulation"), "run", keys, "--count", str(seeds),
             "--from", str(first)], text=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
            for keys in ("kept", "made")}
        for keys, run in runs.items():
            output, _ = run.communicate()
            if run.returncode:
                record.add(unexpected=[f"{keys}: {output.strip()}"])
            record.add(seeds)
        say(f"sim: {record.totals['points']:,}/{arguments.count:,} schedules, "
            f"{len(record.totals['unexpected'])} bad (from seed {first})")
    return record.finish("schedules", command(arguments), judged=False)


def command(arguments: argparse.Namespace) -> str:
    if arguments.mode == "soak":
        return f"Scripts/torture soak --minutes {arguments.minutes:g}"
    target = " --standalone" if arguments.standalone else ""
    side = "" if arguments.side == "both" else f" --side {arguments.side}"
    return f"Scripts/torture {arguments.mode} --count {arguments.count}{target}{side}"


def main() -> int:
    defaults = {"sim": 10_000_000, "kill": 2000, "server-kill": 200, "proxy": 2000, "rot": 20_000,
                "soak": 0}
    parser = argparse.ArgumentParser(prog="Scripts/torture", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=list(defaults))
    parser.add_argument("--count", type=int, help="points to reach, those of earlier runs included")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--standalone", action="store_true", help="the target is 2.3.5, not Lite 3")
    parser.add_argument("--side", choices=["both", "source", "target"], default="both",
                        help="which server is behind the failing network (kill, proxy)")
    parser.add_argument("--seed", type=int, default=random.getrandbits(40))
    parser.add_argument("--out", default=str(ROOT / "Docs" / "evidence"))
    arguments = parser.parse_args()
    arguments.count = arguments.count or defaults[arguments.mode]
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    # A polite end, by which servers are stopped: as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    variant = "-standalone" if arguments.standalone else ""
    record = Record(out, arguments.mode, variant, arguments.seed)
    if arguments.mode == "sim":
        return simulate(arguments, record)
    with scratch() as directory:
        match arguments.mode:
            case "rot":
                rot(arguments, record, directory)
                return record.finish("bytes", command(arguments))
            case "soak":
                note = soak(arguments, record, directory)
                return record.finish("samples", command(arguments), judged=False, note=note)
        with Rounds(arguments, record, directory) as rounds:
            {"kill": rounds.kill, "server-kill": rounds.server_kill,
             "proxy": rounds.proxy}[arguments.mode]()
    noun = {"kill": "kills", "server-kill": "kills of the target", "proxy": "faults"}
    return record.finish(noun[arguments.mode], command(arguments))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("interrupted: the same command carries on")
        sys.exit(130)

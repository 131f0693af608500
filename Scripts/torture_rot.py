"""Scripts/torture rot: a job is killed with chunks in its spool, one bit of one file is flipped, and
the same command must either refuse, by name, or end with equal rows."""

from __future__ import annotations

import argparse
import concurrent.futures
import random
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any

from processes import Server, say
from torture_stage import Job, Record, compared, drop, scratch, seed

# Few rows make small files, of which every byte can be tried.
ROWS = 16
# Most of a trial is waiting for a fence: several share the servers.
TRIALS_AT_ONCE = 4
TRIAL_SECONDS = 120
FILES = ("chunk", "ledger.sqlite", "ledger.sqlite-wal")


class Trials:
    def __init__(self, source: Server, target: Server, directory: Path, record: Record) -> None:
        self.source, self.target, self.directory, self.record = source, target, directory, record
        self.lock = threading.Lock()

    def text(self, name: str) -> str:
        return f"""
source: {{uri: "{self.source.uri}"}}
target: {{uri: "{self.target.uri}"}}
collections: [{{source: packages, target: {name}.packages}}]
limits: {{page: 64KiB, write_timeout_seconds: 1}}
"""

    def file(self, job: Job, which: str) -> Path | None:
        if which == "chunk":
            chunks = [path for path in job.chunks() if path.stat().st_size]
            return min(chunks, key=lambda path: path.stat().st_size, default=None)
        path = job.directory / which
        return path if path.exists() and path.stat().st_size else None

    def ended(self, job: Job, which: str) -> bool:
        """A run of it that has not come to its end: interrupted where the ledger is to rot, which
        then has all in one file; killed otherwise, with chunks in its spool."""
        shutil.rmtree(job.directory, ignore_errors=True)
        job.start()
        seen = job.wait_for(job.chunks)
        # A little later: the ledger must know the chunk, or its file is removed and read again.
        time.sleep(random.uniform(0, 0.03))
        if which == "ledger.sqlite":
            job.signal(signal.SIGINT)
            return job.wait(30) == 130
        job.kill()
        return seen and bool(job.chunks())

    def trial(self, number: int, which: str, position: int, bit: int) -> None:
        name = f"rot{number}"
        with scratch() as directory, Job(directory, name, self.text(name)) as job:
            path = None
            for _ in range(20):
                if self.ended(job, which) and (path := self.file(job, which)) is not None:
                    break
                drop(self.target, name)
            if path is None:
                self.note(which, "no such file", f"{name}: no {which} after 20 runs")
                return
            data = bytearray(path.read_bytes())
            at = position % len(data)
            data[at] ^= 1 << bit
            path.write_bytes(data)
            job.start()
            code = job.wait(TRIAL_SECONDS)
            where = f"{name}: {which} byte {at} of {len(data)}, bit {bit}"
            last = " ".join(job.log.read_text(errors="replace").strip().splitlines()[-2:])
            if code is None:
                self.note(which, "hung", f"{where}: did not end within {TRIAL_SECONDS} s")
            elif code < 0:
                self.note(which, "crashed", f"{where}: signal {-code}: {last}")
            elif code != 0:
                is_named = "STO-" in last
                self.note(which, f"refused with exit {code}",
                          None if is_named else f"{where}: exit {code} without a code: {last}")
            else:
                found = compared(self.source.uri, ("default", "packages"), self.target.uri,
                                 (name, "packages"))
                self.note(which, "equal" if found["equal"] else "SILENTLY ACCEPTED",
                          None if found["equal"] else f"{where}: {found}", found)
        drop(self.target, name)

    def note(self, which: str, outcome: str, unexpected: str | None,
             found: dict[str, Any] | None = None) -> None:
        found = found or {"lost": 0, "doubled": 0, "other": 0}
        if unexpected:
            say(f"UNEXPECTED {unexpected}")
        with self.lock:
            self.record.add(1, migrations=1, kinds={f"{which} {outcome}": 1},
                            lost=found["lost"], doubled=found["doubled"], other=found["other"],
                            unexpected=[unexpected] if unexpected else [])


def rot(arguments: argparse.Namespace, record: Record, directory: Path) -> None:
    kind = "standalone" if arguments.standalone else "lite3"
    with (Server("lite3", directory / "source") as source,
          Server(kind, directory / "target") as target):
        seed(source, ROWS, kind)
        trials = Trials(source, target, directory, record)
        first = record.totals["points"]
        with concurrent.futures.ThreadPoolExecutor(TRIALS_AT_ONCE) as pool:
            # A round of results at a time, so that an interruption loses one round.
            for begin in range(first, arguments.count, TRIALS_AT_ONCE * 5):
                numbers = range(begin, min(begin + TRIALS_AT_ONCE * 5, arguments.count))
                list(pool.map(lambda number: trials.trial(*place(number, record)), numbers))
                totals = record.totals
                say(f"rot: {totals['points']}/{arguments.count} bytes, {totals['kinds']}")


def place(number: int, record: Record) -> tuple[int, str, int, int]:
    """The files in turn; of each every byte once before any twice, spread out by a step that is
    odd and prime to the sizes that these files have (a multiple of a page, or small)."""
    which = FILES[number % len(FILES)]
    bit = random.Random(f"{record.totals['seed']}/{number}").randrange(8)
    return number, which, (number // len(FILES)) * 7919, bit

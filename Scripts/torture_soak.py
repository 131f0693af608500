"""Scripts/torture soak: one process at full rate between two servers of ours, the target behind a
failing network, watched: resident memory, open descriptors, bytes in the spool."""

from __future__ import annotations

import argparse
import os
import random
import signal
import time
from pathlib import Path

from processes import Piped, say, twin
from torture_stage import Job, Record

# More than can be moved in a night: it is interrupted when its time is over.
ROWS = 4_000_000_000
SPOOL_MIB = 512
SAMPLE_SECONDS = 2.0
SLOPE_LIMIT_MIB = 1.0


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def slope(samples: list[tuple[float, float]]) -> float:
    """By least squares, per minute."""
    count = len(samples)
    mean_x = sum(x for x, _ in samples) / count
    mean_y = sum(y for _, y in samples) / count
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return 60 * sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0


def soak(arguments: argparse.Namespace, record: Record, directory: Path) -> str:
    with (twin("--generate", f"default.rows={ROWS}") as source, twin("--store", "tally") as target,
          Piped("fault-proxy", "--to", str(target.port), "--pause", "3") as proxy):
        text = f"""
source: {{uri: "{source.uri}"}}
target: {{uri: "{proxy.uri}"}}
limits: {{spool: {SPOOL_MIB}MiB, write_timeout_seconds: 2}}
"""
        with Job(directory, "soak", text) as job:
            job.start()
            job.wait_for((job.directory / "plan.json").exists)
            proxy.ask(f"faults {random.Random(record.totals['seed']).getrandbits(60)}")
            return watch(arguments, record, job, proxy)


def watch(arguments: argparse.Namespace, record: Record, job: Job, proxy: Piped) -> str:
    begun = time.monotonic()
    memory: list[tuple[float, float]] = []
    descriptors: list[int] = []
    spools: list[float] = []
    assert job.process is not None
    pid = job.process.pid
    next_line = 0.0
    while (now := time.monotonic() - begun) < arguments.minutes * 60:
        if job.wait(SAMPLE_SECONDS) is not None:
            record.add(unexpected=[f"ended by itself: {job.log.read_text()[-500:]}"])
            break
        memory.append((now, resident_mib(pid)))
        descriptors.append(len(os.listdir(f"/proc/{pid}/fd")))
        spools.append(spool_mib(job))
        record.add(1)
        if now >= next_line:
            next_line = now + 15
            say(f"soak: {now:.0f} s, {memory[-1][1]:.0f} MiB, {descriptors[-1]} descriptors, "
                f"spool {spools[-1]:.0f} MiB, faults {sum(proxy.ask('counts')['faults'].values())}")
    counts = proxy.ask("calm")
    job.signal(signal.SIGINT)
    code = job.wait(60)
    if code != 130:
        record.add(unexpected=[f"Ctrl-C ended it with {code}: {job.log.read_text()[-500:]}"])
    # The first quarter fills buffers.
    settled = memory[len(memory) // 4:]
    rise = slope(settled) if len(settled) > 2 else 0.0
    # Over a few minutes the noise is larger than the limit.
    if arguments.minutes >= 5 and rise > SLOPE_LIMIT_MIB:
        record.add(unexpected=[f"memory rises by {rise:.2f} MiB a minute"])
    if spools and max(spools) > SPOOL_MIB:
        record.add(unexpected=[f"the spool held {max(spools):.0f} of {SPOOL_MIB} MiB"])
    record.add(migrations=1, kinds=counts["faults"])
    if not memory:
        return "nothing was sampled"
    late = descriptors[len(descriptors) // 4:]
    return (f"{counts['bytes'] / 1e6 / max(memory[-1][0], 1):.0f} MB/s to the target, "
            f"peak {max(value for _, value in memory):.0f} MiB, {rise:+.2f} MiB a minute, "
            f"descriptors {min(late)} to {max(late)}, spool up to {max(spools):.0f} MiB")


def spool_mib(job: Job) -> float:
    total = 0
    for path in (job.directory / "spool").glob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total / (1 << 20)

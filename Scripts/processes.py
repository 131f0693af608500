"""Processes that the long runs and the benchmarks start: servers, programs of ours, and runs of which
the time, the processor time and the memory are measured. Everything that is started here ends with its
`with`."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
BINARIES = Path(os.environ["STOPOVER_BINARIES"])


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Server:
    """A real server through Scripts/servers; `kind` is lite3 or standalone."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.directory = directory
        record = json.loads(self.control("start", kind, "--dir", str(directory)))
        self.uri: str = record["uri"]
        self.pid: int = record["pid"]

    @property
    def port(self) -> int:
        return port(self.uri)

    def control(self, *arguments: str) -> str:
        run = subprocess.run([str(ROOT / "Scripts" / "servers"), *arguments], text=True,
                             capture_output=True, stdin=subprocess.DEVNULL)
        if run.returncode:
            raise RuntimeError(f"servers {' '.join(arguments)}: {run.stderr}")
        return run.stdout

    def kill(self) -> None:
        self.control("kill", str(self.directory))

    def restart(self) -> None:
        self.control("restart", str(self.directory))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.control("stop", "--remove", str(self.directory))


class Piped:
    """A program of ours that serves, and answers each line of its input with a line of JSON."""

    def __init__(self, name: str, *options: str) -> None:
        self.process = subprocess.Popen(
            [str(BINARIES / name), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self.uri: str = self._hear()["uri"]

    @property
    def port(self) -> int:
        return port(self.uri)

    def _hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._hear()

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def twin(*options: str, port: int | None = None) -> Piped:
    """An in-memory server of ours, below the ports that the system gives to clients."""
    return Piped("milvus-twin", "--port", str(port or random.randrange(20_000, 32_000)), *options)


def port(uri: str) -> int:
    return int(uri.rsplit(":", 1)[1])


@dataclass
class Measured:
    """One run of a process, its children not included."""

    wall: float
    cpu: float
    peak_mib: float
    output: str


def measure(command: list[str], **environment: str) -> Measured:
    """Runs a process to its end; raises with its last words when it fails."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env={**os.environ, **environment})
    assert process.stdout is not None
    output = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}: {output[-1500:]}")
    return Measured(time.monotonic() - begun, usage.ru_utime + usage.ru_stime,
                    usage.ru_maxrss / 1024, output)


def bench_command(file: str, sides: list[str], seconds: int, requests: str) -> list[str]:
    """The command that measures sides of a migration of `default.rows`, with so many requests at once."""
    command = [str(BINARIES / "stopover"), "bench", file, "--collection", "default.rows",
               "--seconds", str(seconds), "--requests", requests, "--json", "--quiet"]
    return command + [word for side in sides for word in ("--side", side)]


def bench_samples(output: str) -> list[dict[str, Any]]:
    """What it measured."""
    return json.loads(output.splitlines()[-1])["samples"]

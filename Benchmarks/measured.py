"""Processes of which the time, the processor time and the memory are measured, and servers of ours."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


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


class Twin:
    """An in-memory server of ours (milvus-twin) as a process of its own."""

    def __init__(self, binaries: Path, *options: str, port: int | None = None) -> None:
        port = port or random.randrange(20_000, 32_000)
        self.port = port
        self.process = subprocess.Popen(
            [str(binaries / "milvus-twin"), "--port", str(port), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.uri: str = self._hear()["uri"]

    def _hear(self) -> dict:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, line: str) -> dict:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._hear()

    def __enter__(self) -> Twin:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()


class RealServer:
    """A server through Scripts/servers."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.directory = directory
        self.uri: str = json.loads(self._control("start", kind, "--dir", str(directory)))["uri"]

    def _control(self, *arguments: str) -> str:
        return subprocess.run([str(ROOT / "Scripts" / "servers"), *arguments], text=True,
                              check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout

    def __enter__(self) -> RealServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._control("stop", "--remove", str(self.directory))

"""One migration of generated rows between two of our own servers, measured. See Scripts/scale."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def peak_kib(pid: int) -> int:
    """The greatest resident memory of a process so far, or 0 when it is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def twin(binary: str, *options: str) -> tuple[subprocess.Popen[str], str]:
    """A server of ours and its address."""
    port = random.randrange(20000, 32000)
    process = subprocess.Popen(
        [f"{binary}/milvus-twin", "--port", str(port), *options],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["uri"]


def main() -> None:
    binary, rows, dimension = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    source, source_uri = twin(
        binary, "--generate", f"default.rows={rows}", "--dim", str(dimension))
    target, target_uri = twin(binary, "--store", "tally")
    try:
        with tempfile.TemporaryDirectory() as home:
            file = Path(home) / "scale.yaml"
            file.write_text(f'source: {{uri: "{source_uri}"}}\ntarget: {{uri: "{target_uri}"}}\n')
            run = subprocess.Popen(
                [f"{binary}/stopover", "run", str(file), "--home", home, "--json"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
            assert run.stdout is not None and run.stderr is not None
            begun = time.monotonic()
            moved: list[tuple[float, int, int]] = []
            peak = 0
            for line in run.stderr:
                record = json.loads(line)
                if record["type"] != "progress":
                    continue
                peak = max(peak, peak_kib(run.pid))
                loaded = record["transfers"][0]["rowsLoaded"]
                moved.append((record["elapsedSeconds"], loaded, peak))
            seconds = time.monotonic() - begun
            result = json.loads(run.stdout.read().splitlines()[-1])
            status = run.wait()
        early = next((entry for entry in moved if entry[1] >= rows / 10), moved[0])
        print(json.dumps({
            "rows": rows, "dimension": dimension, "verdict": result["verdict"],
            "seconds": round(seconds, 1), "rowsPerSecond": round(rows / seconds),
            "peakMiBAtATenth": early[2] // 1024, "peakMiBAtTheEnd": peak // 1024,
            "loadedByTheSecond": [loaded for _, loaded, _ in moved],
        }))
        sys.exit(status)
    finally:
        for process in (source, target):
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()

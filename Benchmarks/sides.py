"""A real server on one side, a server of ours on the other, so that the two do not share what limits:
how much of what the slower side gives alone does a whole migration get? `stopover bench` measures the
source alone, the target alone, and both. The last line of its output is JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pymilvus import MilvusClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Scripts"))

from processes import BINARIES, Server, measure, say, twin  # noqa: E402

# Of our own source: more than any target here takes in the time.
GENERATED = 5_000_000


def bench(arguments: argparse.Namespace, side: str, directory: Path) -> dict[str, Any]:
    """{source, target, both} in rows a second, the best number of requests at once of each side."""
    def migration(name: str, source: str, target: str) -> str:
        file = directory / f"{name}.yaml"
        file.write_text(f'source: {{uri: "{source}"}}\ntarget: {{uri: "{target}"}}\n'
                        "collections: [{source: default.rows, indexes: auto}]\nverify: counts\n")
        return str(file)

    with ExitStack() as stack:
        ours = stack.enter_context(
            twin("--generate",
                 f"default.rows={arguments.rows if side == 'source' else GENERATED}", "--dim",
                 str(arguments.dim)))
        real = stack.enter_context(Server(arguments.server, directory / f"real-{side}"))
        if side == "source":
            say(f"filling the source with {arguments.rows:,} rows")
            measure([str(BINARIES / "stopover"), "run", migration("fill", ours.uri, real.uri),
                     "--home", str(directory / "home"), "--job", "fill", "--quiet"])
            MilvusClient(real.uri).load_collection("rows")
            target = stack.enter_context(twin("--store", "tally"))
            file = migration("bench", real.uri, target.uri)
        else:
            file = migration("bench", ours.uri, real.uri)
        ended = subprocess.run(
            [str(BINARIES / "stopover"), "bench", file, "--collection", "default.rows", "--seconds",
             str(arguments.seconds), "--requests", arguments.requests, "--json", "--quiet"],
            check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    samples = json.loads(ended.stdout.splitlines()[-1])["samples"]
    best = {name: max(sample["rows"] / sample["seconds"] for sample in samples if sample["side"] == name)
            for name in ("source", "target", "both")}
    best["partOfSlower"] = round(best["both"] / min(best["source"], best["target"]), 3)
    return {key: value if key == "partOfSlower" else round(value) for key, value in best.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="Benchmarks/sides", description=__doc__)
    parser.add_argument("--server", choices=["lite3", "standalone"], default="lite3")
    parser.add_argument("--rows", type=int, default=60_000,
                        help="of a real source, which has to be filled: more than it gives in the time")
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--seconds", type=int, default=20, help="of each measurement")
    parser.add_argument("--requests", default="1,2,4", help="at once, that are tried on either side")
    parser.add_argument("--side", choices=["source", "target"], action="append")
    arguments = parser.parse_args()
    found: dict[str, Any] = {"server": arguments.server, "rows": arguments.rows,
                             "dimension": arguments.dim, "seconds": arguments.seconds}
    with tempfile.TemporaryDirectory(prefix="stopover-sides-") as directory:
        for side in arguments.side or ["target", "source"]:
            found[side] = bench(arguments, side, Path(directory))
            say(f"{arguments.server} as {side}: {found[side]}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()

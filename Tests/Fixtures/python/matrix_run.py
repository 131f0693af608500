"""The matrix: each type × each variant × each route, migrated by the tool and read back.

    matrix_run.py --tool STOPOVER --lite3 URI URI --standalone URI URI --work DIR
        [--page FILE --own PAGE] [--json FILE]

The first server of each kind is a source, the second a target; all should be new. Writes the page
(Docs/compatibility.md, the section of our own server as PAGE has it) and every cell's verdict,
prints one JSON object that counts the verdicts, and exits 0 if no cell differs or failed, else 1 with one line for each such cell.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from argparse import Namespace
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

import compare
import describe
import matrix_page
import matrix_seed
import seeding
from matrix_page import (
    DIFFERS, EQUAL, ERROR, NO_VALUE, NOT_APPLICABLE, REFUSED, STOPPED, Verdict)
from matrix_seed import DATABASE, Cell, Examples, Seeder, Shape
from milvus_rows import DYNAMIC, Collection, Server, ServerRefused, Unreadable, reason

TOOL_LIMIT_SECONDS = 200
ALL_DIFFERENCES = 1_000_000
ROW_CODE = "STO-ROW-DOES-NOT-FIT"


@dataclass
class Ended:
    """What the tool printed of the type that was asked for, and its errors."""

    status: int
    results: list[dict[str, Any]]
    error: str


@dataclass
class Source:
    """A seeded source and what is known of it."""

    seeder: Seeder
    refused: dict[Cell, str] = field(default_factory=dict)
    shapes: list[Shape] = field(default_factory=list)
    # What the server makes of values and of type parameters, whoever sends them.
    changes: Examples = field(default_factory=dict)
    undescribed: dict[str, set[str]] = field(default_factory=dict)
    # Two routes share a source, and may want the same halves of a collection at once.
    lock: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def seeded(kind: str, uri: str) -> Source:
        source = Source(Seeder(kind, uri))
        source.refused = source.seeder.refusals()
        source.shapes = matrix_seed.shapes(source.refused)
        source.add(source.shapes)
        return source

    def add(self, shapes: list[Shape]) -> None:
        self.seeder.seed_all(shapes)
        for shape in shapes:
            self.changes |= self.seeder.changes(shape)
            self.undescribed |= self.seeder.undescribed(shape)


class Route:
    """All the cells of one source on their way to one target."""

    def __init__(self, name: str, source: Source, target: str, like_target: Source,
                 tool: str, work: Path) -> None:
        self.name, self.source, self.target = name, source, Server(target)
        # A server of the target's kind, to which the official client has written.
        self.like_target = like_target
        self.tool, self.work = tool, work
        self.verdicts: dict[Cell, Verdict] = {
            cell: Verdict(NO_VALUE) if why == matrix_seed.NO_SUCH_VALUE
            else Verdict(NOT_APPLICABLE, why) for cell, why in source.refused.items()}
        self.attempts = 0

    def run(self) -> None:
        self.settle(self.source.shapes)

    def settle(self, shapes: list[Shape]) -> None:
        """A verdict for every cell of the collections. One that is refused or fails as a whole is
        tried again by halves, until each cell has a verdict of its own."""
        self.attempts += 1
        database = f"{self.name}_{self.attempts}"
        accepted, refused = self.plan(shapes, database)
        left = [shape for shape in shapes if shape not in accepted and self.unsettled(shape)]
        if accepted:
            ended = self.call("run", "error", self.migration(accepted, database))
            left += [shape for shape in accepted if not self.compare(shape, database, ended)]
        for shape in left:
            # What went down with others may be well alone; what is refused is not.
            again = [shape] if len(shapes) > 1 and shape not in refused else self.halves(shape)
            if again:
                self.settle(again)

    def unsettled(self, shape: Shape) -> bool:
        return any(cell not in self.verdicts for cell in shape.cells)

    def halves(self, shape: Shape) -> list[Shape]:
        halves = shape.halves()
        with self.source.lock:
            self.source.add([half for half in halves
                             if not self.source.seeder.client.has_collection(half.name)])
        return halves

    # --- the plan --------------------------------------------------------------------------------

    def plan(self, shapes: list[Shape], database: str) -> tuple[list[Shape], list[Shape]]:
        """The collections that the plan accepts and those that it refuses. A refusal of a field is
        its cells' verdict; so is one of the whole collection, when it has one type."""
        ended = self.call("plan", "plan", self.migration(shapes, database))
        if not ended.results:
            self.fail(shapes, ended.error or f"plan ended with {ended.status}")
            return [], []
        accepted, refused = [], []
        for transfer in ended.results[0]["transfers"]:
            shape = next(each for each in shapes
                         if each.name == transfer["source"]["name"]["collection"])
            refusals = [finding for finding in transfer["findings"]
                        if finding["severity"] == "refusal"]
            (refused if refusals else accepted).append(shape)
            for cell in shape.cells:
                subject = f"{database}.{shape.name}.{cell[0].field_name}"
                for finding in refusals:
                    if finding["subject"] == subject or len(shape.types) == 1:
                        self.verdicts[cell] = Verdict(
                            REFUSED, finding["message"], finding["code"])
        return accepted, refused

    def fail(self, shapes: list[Shape], error: str) -> None:
        """A cell that failed alone has its verdict; of several, each is still to be tried."""
        if len(shapes) != 1 or shapes[0].halves():
            return
        cell = shapes[0].cells[0]
        refused = self.like_target.refused.get(cell)
        # To stop is right when the target would have refused the row from anyone.
        self.verdicts[cell] = (Verdict(STOPPED, refused, ROW_CODE)
                               if refused and error.startswith(ROW_CODE)
                               else Verdict(ERROR, error))

    # --- the rows --------------------------------------------------------------------------------

    def compare(self, shape: Shape, database: str, ended: Ended) -> bool:
        """Whether the cells got their verdicts: not if there is nothing to compare."""
        server = Server(self.target.uri, database=database)
        try:
            target = Collection(server, shape.name)
        except ServerRefused:
            self.fail([shape], ended.error or f"run ended with {ended.status}, and there is no "
                      "collection on the target")
            return False
        options = Namespace(
            source=self.source.seeder.uri, source_token="", source_db=DATABASE,
            source_collection=shape.name, target=server.uri, target_token="", target_db=database,
            target_collection=target.name, drop_field=[], ignore_key=False, by_partition=False,
            whole=False, limit=ALL_DIFFERENCES)
        try:
            result = compare.compare(options)
        except (Unreadable, grpc.RpcError, ServerRefused, ValueError) as error:
            self.fail([shape], reason(error))
            return False
        found = result["differences"] + self.schema_differences(shape, server)
        seeded = sum(len(shape.rows(variant)) for variant in shape.variants)
        if result["rows"] != seeded:
            # Two collections that are both short of rows are equal, and prove nothing.
            found.append({"what": "the source has not the rows that were seeded",
                          "seeded": seeded, "read": result["rows"]})
        fields = {type.field_name for type in shape.types}
        for cell in shape.cells:
            # Of the cell's field and rows, or of none in particular: then it is everyone's.
            own = [each for each in found
                   if each.get("field") not in fields - {cell[0].field_name}
                   and ("key" not in each or matrix_seed.variant_of(each["key"]) == cell[1])]
            self.verdicts[cell] = self.verdict(cell, own)
        return True

    def verdict(self, cell: Cell, differences: list[dict[str, Any]]) -> Verdict:
        own = [(compare.shown(sent), compare.shown(read))
               for sent, read in self.like_target.changes.get(cell, [])]
        lost = self.like_target.undescribed.get(cell[0].field_name, set())
        notes = []
        for each in differences:
            pair = (each.get("source"), each.get("target"))
            if each["what"] == "schema" and each["lost"] and each["lost"] <= lost:
                notes.append(f"does not describe {', '.join(sorted(each['lost']))}")
            elif pair in own:
                notes.append(f"reads {pair[0]} as {pair[1]}")
            else:
                return Verdict(DIFFERS, f"{len(differences)} differences, one of them: "
                               f"{json.dumps(each, default=sorted)[:600]}")
        if notes:
            return Verdict(EQUAL, f"{', '.join(dict.fromkeys(notes))}, whoever writes to it")
        return Verdict(EQUAL)

    def schema_differences(self, shape: Shape, server: Server) -> list[dict[str, Any]]:
        """Fields that lost something that the source describes. The target may say more: a Go
        server needs a max_length that Lite 3 does not describe."""
        source = describe.describe(Server(self.source.seeder.uri, database=DATABASE), shape.name)
        target = describe.describe(server, shape.name)
        there = {field["name"]: field for field in target["fields"]}
        found = []
        for field in source["fields"]:
            other = there.get(field["name"], {"params": {}})
            if field == other | {"params": field["params"]}:
                lost = {name for name, value in field["params"].items()
                        if other["params"].get(name) != value}
                if not lost:
                    continue
            else:
                lost = set()
            found.append({"what": "schema", "field": field["name"], "lost": lost,
                          "source": field, "target": other})
        if source["dynamic_field"] != target["dynamic_field"]:
            found.append({"what": "schema", "field": DYNAMIC, "lost": set(),
                          "source": source["dynamic_field"],
                          "target": target["dynamic_field"]})
        return found

    # --- the tool --------------------------------------------------------------------------------

    def migration(self, shapes: list[Shape], database: str) -> Path:
        lines = [f'source: {{uri: "{self.source.seeder.uri}"}}',
                 f'target: {{uri: "{self.target.uri}"}}', "collections:"]
        for shape in shapes:
            lines += [f"  - source: {DATABASE}.{shape.name}",
                      f"    target: {database}.{shape.name}"]
        path = self.work / f"{database}_{len(shapes)}.yaml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def call(self, verb: str, kind: str, migration: Path) -> Ended:
        """Runs the tool; its lines of the type `kind`, and what its errors said."""
        environment = os.environ | {"STOPOVER_HOME": str(self.work / "home")}
        process = subprocess.run(
            [self.tool, verb, str(migration), "--json"], env=environment, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=TOOL_LIMIT_SECONDS)
        lines = []
        for line in (process.stdout + process.stderr).splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                lines.append({"type": "error", "code": "", "message": line})
        errors = [f"{line.get('code')} {line.get('message')}" for line in lines
                  if line.get("type") == "error"]
        return Ended(process.returncode, [line for line in lines if line.get("type") == kind],
                     " | ".join(dict.fromkeys(errors))[:600])


def timed(what: str, since: float) -> None:
    print(f"{time.monotonic() - since:6.1f} s  {what}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--lite3", required=True, nargs=2, metavar="URI")
    parser.add_argument("--standalone", required=True, nargs=2, metavar="URI")
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--own", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    uris = {"lite3": arguments.lite3, "standalone": arguments.standalone}
    with ThreadPoolExecutor() as pool:
        seeded = dict(zip(uris, pool.map(Source.seeded, uris, [pair[0] for pair in uris.values()])))
    timed("both sources seeded and checked", begun)

    def lane(target: str) -> list[Route]:
        """Both routes to one target, one after the other."""
        routes = []
        for kind, source in seeded.items():
            route = Route(f"{kind}_to_{target}", source, uris[target][1],
                          seeded[target], arguments.tool, arguments.work)
            route.run()
            timed(route.name, begun)
            routes.append(route)
        return routes

    with ThreadPoolExecutor() as pool:
        routes = [route for lane_routes in pool.map(lane, uris) for route in lane_routes]
    verdicts = {route.name: route.verdicts for route in routes}
    if arguments.page:
        own = matrix_page.own_section(arguments.own.read_text())
        arguments.page.write_text(matrix_page.page(verdicts, own))
    if arguments.json:
        arguments.json.write_text(json.dumps(matrix_page.as_json(verdicts), indent=1) + "\n")
    bugs = [(name, cell, verdict) for name, cells in verdicts.items()
            for cell, verdict in cells.items() if verdict.is_bug]
    for name, (type, variant), verdict in bugs:
        print(f"{verdict.word}: {name}, {type.name}, {variant}: {verdict.reason}", file=sys.stderr)
    counts = Counter(verdict.word for cells in verdicts.values() for verdict in cells.values())
    print(json.dumps({"cells": dict(counts), "bugs": len(bugs)}))
    sys.exit(1 if bugs else 0)


if __name__ == "__main__":
    seeding.run(main)

"""Loads the real data set (packages of the Debian archive) into a collection.

    seed_packages.py --uri URI --collection C [--db D] [--rows N] [--for lite3|standalone]
        [--auto-id | --varchar-key] [--load all|none|partial]

Scalars, arrays, a 384-dimensional embedding, a dynamic field (`summary` in every row, `priority`
only where the id is odd) and two named partitions beside _default. Prints one JSON object.
Above 6,000 rows the data set is repeated with new ids.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Iterator

import numpy
from pymilvus import CollectionSchema, DataType, MilvusClient

import seeding

DATA = Path(__file__).resolve().parents[3] / "Sources" / "CDemoData"
DIMENSION = 384
LIBRARIES = {"libs", "libdevel", "oldlibs", "perl", "python", "golang", "haskell", "rust", "java",
             "javascript", "ruby", "php", "ocaml", "gnu-r", "lisp", "cli-mono", "gnustep"}
APPLICATIONS = {"admin", "utils", "net", "games", "graphics", "sound", "video", "editors", "web",
                "mail", "text", "math", "science", "electronics", "kde", "gnome", "x11", "xfce"}
# 2.3.5 cannot hold a null.
NULLABLE = ("homepage", "multi_arch")


def partition_of(section: str) -> str:
    return "libs" if section in LIBRARIES else "apps" if section in APPLICATIONS else "_default"


def schema(arguments: argparse.Namespace) -> CollectionSchema:
    result = MilvusClient.create_schema(auto_id=arguments.auto_id, enable_dynamic_field=True)
    if arguments.varchar_key:
        result.add_field("id", DataType.VARCHAR, is_primary=True, max_length=128)
    else:
        result.add_field("id", DataType.INT64, is_primary=True)
    result.add_field("name", DataType.VARCHAR, max_length=128)
    result.add_field("version", DataType.VARCHAR, max_length=128)
    result.add_field("section", DataType.VARCHAR, max_length=64)
    result.add_field("installed_size_kib", DataType.INT64)
    result.add_field("size_bytes", DataType.INT64)
    if arguments.kind == "lite3":
        result.add_field("homepage", DataType.VARCHAR, max_length=512, nullable=True)
        result.add_field("multi_arch", DataType.VARCHAR, max_length=16, nullable=True)
    for name, capacity in (("depends", 16), ("tags", 12)):
        result.add_field(name, DataType.ARRAY, element_type=DataType.VARCHAR,
                         max_capacity=capacity, max_length=256)
    result.add_field("embedding", DataType.FLOAT_VECTOR, dim=DIMENSION)
    return result


def rows(arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row with the partition it belongs to."""
    lines = (DATA / "debian-packages.jsonl").read_text(encoding="utf-8").splitlines()
    vectors = numpy.fromfile(DATA / "debian-packages.f16", dtype="<f2").reshape(-1, DIMENSION)
    vectors = vectors.astype("<f4")
    for number in range(arguments.rows):
        row = json.loads(lines[number % len(lines)])
        row["id"] = number + 1
        if row["id"] % 2 == 0:
            del row["priority"]
        if arguments.varchar_key:
            row["id"] = f"{row['name']}/{row['id']}"
        elif arguments.auto_id:
            del row["id"]
        if arguments.kind == "standalone":
            for name in NULLABLE:
                del row[name]
        row["embedding"] = vectors[number % len(lines)].tolist()
        yield partition_of(row["section"]), row


def main() -> None:
    parser = seeding.parser(__doc__)
    parser.add_argument("--rows", type=int, default=6000)
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--auto-id", action="store_true")
    keys.add_argument("--varchar-key", action="store_true")
    arguments = parser.parse_args()

    client = seeding.connect_for_new(arguments)
    named = ["libs", "apps"]
    seeding.create(client, arguments, schema(arguments), named)
    by_partition: dict[str, list[dict[str, Any]]] = {name: [] for name in ["_default", *named]}
    for partition, row in rows(arguments):
        by_partition[partition].append(row)
    inserted = {
        partition: seeding.insert(client, arguments.collection, partition, content, batch_rows=1000)
        for partition, content in by_partition.items()
    }
    seeding.index_and_load(client, arguments, {"embedding": ("AUTOINDEX", "COSINE")}, named)
    print(json.dumps({"database": arguments.db, "collection": arguments.collection,
                      "rows": sum(inserted.values()), "partitions": inserted}))


if __name__ == "__main__":
    seeding.run(main)

"""Compares two collections row by row, every field, as an independent reader of both.

    compare.py --source URI --source-collection C --target URI --target-collection C
        [--source-db D] [--target-db D] [--source-token T] [--target-token T]
        [--drop-field F]… [--ignore-key] [--by-partition | --whole] [--limit N]

Prints one JSON object and exits 0 if they are equal, 1 if they are not, 2 if one of them could not
be read, so that nothing is known. A collection that is not loaded is loaded for the reading and
released again. Rows are compared partition by partition as soon as either side has named
partitions (and no partition key); --by-partition insists, --whole ignores where a row lies.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from typing import Any

import grpc

from milvus_rows import (
    DYNAMIC, Collection, Kind, Server, ServerRefused, Unreadable, reason)

Rows = dict[tuple[str, int | str], dict[str, Any]]


class Comparison:
    """Collects the differences: all are counted, the first ones kept."""

    def __init__(self, limit: int) -> None:
        self.limit, self.total = limit, 0
        self.first: list[dict[str, Any]] = []

    def add(self, what: str, **details: Any) -> None:
        self.total += 1
        if len(self.first) < self.limit:
            self.first.append({"what": what, **{key: shown(value) for key, value in details.items()}})


def shown(value: Any) -> Any:
    """Values for people: long ones by their beginning, their length and a digest."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=True)
    if len(text) <= 200:
        return value
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{text[:120]}… ({len(text)} characters, sha256 {digest})"


def read(collection: Collection, partitions: list[str], side: str, differences: Comparison) -> Rows:
    """Every row by (partition, key); says so when the server counts more or fewer."""
    rows: Rows = {}
    loaded_here = collection.load_state() != "Loaded"
    if loaded_here:
        collection.load()
    # A partly loaded collection answers with its loaded partitions and no error.
    unloaded = [name for name in collection.partitions() if collection.load_state(name) != "Loaded"]
    if unloaded:
        raise Unreadable(f"{side}: {collection.name} is loaded but for its partitions {unloaded}")
    try:
        for partition in partitions:
            read_here = 0
            for key, row in collection.rows(partition or None):
                if (partition, key) in rows:
                    differences.add("a key was returned twice", side=side, key=key,
                                    partition=partition)
                rows[partition, key] = row
                read_here += 1
            counted = collection.count(partition=partition or None)
            if counted != read_here:
                differences.add("count(*) and the rows read differ", side=side,
                                partition=partition, count=counted, read=read_here)
        whole = collection.count()
        if whole != len(rows):
            differences.add("count(*) of the whole collection and the rows read differ",
                            side=side, count=whole, read=len(rows))
    finally:
        if loaded_here:
            collection.release()
    return rows


def compare_schemas(source: Collection, target: Collection, dropped: set[str],
                    differences: Comparison) -> list[str]:
    """Only what decides whether values can be compared: names, types, the key."""
    for name in sorted(dropped - set(source.columns)):
        differences.add("the field to drop does not exist in the source", field=name)
    expected = set(source.columns) - dropped
    for name in sorted(expected - set(target.columns)):
        differences.add("field missing in the target", field=name)
    for name in sorted(set(target.columns) - expected):
        differences.add("field only in the target", field=name)
    if source.key != target.key:
        differences.add("the keys differ", source=source.key, target=target.key)
    common = [name for name in source.columns if name in expected and name in target.columns]
    for name in common:
        if name == DYNAMIC:
            continue
        one, other = source.fields[name], target.fields[name]
        if (one.data_type, one.element_type) != (other.data_type, other.element_type):
            differences.add("types differ", field=name, source=Kind.Name(one.data_type),
                            target=Kind.Name(other.data_type))
    return common


def compare_by_key(source: Rows, target: Rows, fields: list[str], differences: Comparison) -> None:
    for (partition, key), row in source.items():
        other = target.get((partition, key))
        if other is None:
            differences.add("row missing in the target", key=key, partition=partition)
            continue
        for name in fields:
            if row[name] != other[name]:
                differences.add("values differ", key=key, partition=partition, field=name,
                                source=row[name], target=other[name])
    for partition, key in target.keys() - source.keys():
        differences.add("row only in the target", key=key, partition=partition)


def compare_as_multisets(source: Rows, target: Rows, fields: list[str],
                         differences: Comparison) -> None:
    """For regenerated keys: the same rows, the same number of times."""

    def digests(rows: Rows) -> tuple[Counter[tuple[str, bytes]], dict[tuple[str, bytes], Any]]:
        counts: Counter[tuple[str, bytes]] = Counter()
        example: dict[tuple[str, bytes], Any] = {}
        for (partition, key), row in rows.items():
            content = json.dumps([row[name] for name in fields], sort_keys=True)
            digest = (partition, hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest())
            counts[digest] += 1
            example.setdefault(digest, (key, {name: row[name] for name in fields}))
        return counts, example

    source_counts, source_rows = digests(source)
    target_counts, target_rows = digests(target)
    for digest in source_counts.keys() | target_counts.keys():
        wanted, there = source_counts[digest], target_counts[digest]
        if wanted != there:
            key, row = source_rows.get(digest) or target_rows[digest]
            what = "row missing in the target" if wanted > there else "row too often in the target"
            differences.add(what, partition=digest[0], in_source=wanted, in_target=there,
                            key=key, row=row)


def compare(arguments: argparse.Namespace) -> dict[str, Any]:
    source = Collection(Server(arguments.source, arguments.source_token, arguments.source_db),
                        arguments.source_collection)
    target = Collection(
        Server(arguments.target, arguments.target_token, arguments.target_db or arguments.source_db),
        arguments.target_collection or arguments.source_collection)
    differences = Comparison(arguments.limit)
    fields = compare_schemas(source, target, set(arguments.drop_field), differences)

    names = [source.partitions(), target.partitions()]
    keyed = source.has_partition_key or target.has_partition_key
    by_partition = arguments.by_partition or (
        not arguments.whole and not keyed and any(len(each) > 1 for each in names))
    if by_partition and names[0] != names[1]:
        differences.add("the partitions differ", source=names[0], target=names[1])

    read_by = names if by_partition else [[""], [""]]
    source_rows = read(source, read_by[0], "source", differences)
    target_rows = read(target, read_by[1], "target", differences)
    if arguments.ignore_key:
        fields = [name for name in fields if name not in (source.key, target.key)]
        compare_as_multisets(source_rows, target_rows, fields, differences)
    else:
        compare_by_key(source_rows, target_rows, fields, differences)
    return {
        "equal": differences.total == 0, "rows": len(source_rows),
        "target_rows": len(target_rows), "fields": fields,
        "partitions": names[0] if by_partition else None,
        "difference_count": differences.total, "differences": differences.first,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for side in ("source", "target"):
        required = side == "source"
        parser.add_argument(f"--{side}", required=True, metavar="URI")
        parser.add_argument(f"--{side}-token", default="")
        parser.add_argument(f"--{side}-db", default="default" if required else None,
                            help=None if required else "default: as the source's")
        parser.add_argument(f"--{side}-collection", required=required,
                            help=None if required else "default: as the source's")
    parser.add_argument("--drop-field", action="append", default=[], metavar="FIELD",
                        help="is not in the target, and should not be; $meta for the dynamic field")
    parser.add_argument("--ignore-key", action="store_true",
                        help="keys were regenerated: compare the rows as a multiset")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--by-partition", action="store_true")
    where.add_argument("--whole", action="store_true")
    parser.add_argument("--limit", type=int, default=20, help="differences to print")
    arguments = parser.parse_args()
    try:
        result = compare(arguments)
    except (Unreadable, ServerRefused, grpc.RpcError, ValueError) as error:
        print(json.dumps({"equal": False, "error": reason(error)}))
        print(f"error: could not read both collections: {reason(error)}", file=sys.stderr)
        return 2
    print(json.dumps(result))
    return 0 if result["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())

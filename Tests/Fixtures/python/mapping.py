"""Collections for the tests of the mapping, and what each of them has to be after a migration.

    mapping.py seed  --uri URI [--for lite3|standalone] [CASE...]
    mapping.py check --uri URI --db DB [--source URI] CASE...

`seed` makes one small collection a case, all with the same rows; `check` reads the migrated ones by
the official client and prints `{"CASE": [what is wrong, …], …}`: empty lists when all is well.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import struct
from typing import Any, Callable

from pymilvus import DataType, MilvusClient

logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

ROWS = 300
DIMENSION = 8
#: The row whose dynamic key `weight` is a text, where all others are whole numbers.
MIXED_ROW = 7
Row = dict[str, Any]


def rows(nullable: bool) -> list[Row]:
    random.seed(7)
    result: list[Row] = []
    for number in range(ROWS):
        row: Row = {
            "id": number * 3 - 150, "title": f"título {number}", "year": 1990 + number % 40,
            "tenant": f"tenant {number % 11}", "price": number / 4,
            "v": [random.random() for _ in range(DIMENSION)],
            "weight": "heavy" if number == MIXED_ROW else number * 10, "note": {"n": [number]},
        }
        if number % 3:
            row["color"] = ["red", "green", "blue"][number % 3]
        if nullable and number % 5 == 0:
            row["title"] = None
        if nullable and number % 7 == 0:
            row["price"] = None
        result.append(row)
    return result


def place_rows() -> list[Row]:
    """Of the case `places`, which Lite 3 alone holds: every third value is null."""
    return [{"id": number, "v": [0.5] * DIMENSION,
             "at": f"2024-05-17T12:34:{number:02}Z" if number % 3 else None,
             "place": f"POINT ({number} 1)" if number % 3 else None} for number in range(60)]


def make_places(client: MilvusClient, name: str) -> None:
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("at", DataType.TIMESTAMPTZ, nullable=True)
    schema.add_field("place", DataType.GEOMETRY, nullable=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=DIMENSION)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    client.insert(name, place_rows())
    index = client.prepare_index_params()
    index.add_index("v", index_type="AUTOINDEX", metric_type="IP")
    client.create_index(name, index)
    client.load_collection(name)


#: Cases of the issue's mapping keys; each is a collection of its own on the source.
CASES = ["renamed", "filtered", "regenerated", "dropped", "promoted", "not_null", "nullable",
         "defaulted", "keyed", "longer", "loaded", "copied", "unindexed", "parted", "aliased",
         "service", "places"]
#: What the nulls of the case `places` become.
INSTANT, PLACE = "2024-02-29T21:59:59.500000Z", "POLYGON ((0 0, 0 1, 1 1, 0 0))"


def make(client: MilvusClient, name: str, kind: str) -> None:
    nullable = kind == "lite3"
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("title", DataType.VARCHAR, max_length=64, nullable=nullable)
    schema.add_field("year", DataType.INT64)
    schema.add_field("tenant", DataType.VARCHAR, max_length=32)
    schema.add_field("price", DataType.DOUBLE, nullable=nullable)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=DIMENSION)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    if name == "parted":
        for partition in ["one", "two"]:
            client.create_partition(name, partition)
    data = rows(nullable)
    if name == "parted":
        client.insert(name, data[:100], partition_name="one")
        client.insert(name, data[100:150], partition_name="two")
        client.insert(name, data[150:])
    else:
        client.insert(name, data)
    index = client.prepare_index_params()
    if name == "copied":
        index.add_index("v", index_type="HNSW", metric_type="COSINE", index_name="the_v",
                        params={"M": 12, "efConstruction": 80})
        index.add_index("year", index_type="INVERTED" if kind == "lite3" else "STL_SORT",
                        index_name="the_year")
    else:
        index.add_index("v", index_type="AUTOINDEX", metric_type="IP")
    client.create_index(name, index)
    client.load_collection(name)
    if name == "aliased":
        client.create_alias(name, "stands_for")


def seed(arguments: argparse.Namespace) -> None:
    client = MilvusClient(uri=arguments.uri)
    for name in arguments.cases or CASES:
        if name == "places":
            make_places(client, name)
        else:
            make(client, name, arguments.kind)
    print(json.dumps({"seeded": arguments.cases or CASES, "rows": ROWS}))


class Migrated:
    """One migrated collection, read whole."""

    def __init__(self, client: MilvusClient, name: str) -> None:
        self.client, self.name = client, name
        self.described = client.describe_collection(name)
        self.fields = {field["name"]: field for field in self.described["fields"]}
        self.was_loaded = "Loaded" in str(client.get_load_state(name)["state"])
        self.indexes = {index: client.describe_index(name, index)
                        for index in client.list_indexes(name)}
        self.problems: list[str] = []

    def expect(self, what: str, found: Any, wanted: Any) -> None:
        if found != wanted:
            self.problems.append(f"{what}: {found!r} instead of {wanted!r}")

    def read(self, key: str = "id") -> list[Row]:
        if not self.indexes:
            index = self.client.prepare_index_params()
            index.add_index("v", index_type="AUTOINDEX", metric_type="IP")
            self.client.create_index(self.name, index)
        self.client.load_collection(self.name)
        found = self.client.query(self.name, filter=f"{key} >= -1000000000000000000",
                                  output_fields=["*"], limit=10_000)
        return sorted((dict(row) for row in found), key=lambda row: row[key])

    def expect_rows(self, found: list[Row], wanted: list[Row], key: str = "id") -> None:
        wanted = sorted(wanted, key=lambda row: row[key])
        self.expect("rows", len(found), len(wanted))
        for ours, theirs in zip(found, wanted):
            if plain(ours) != plain(theirs):
                self.problems.append(f"row {ours.get(key)}: {plain(ours)!r} instead of "
                                     f"{plain(theirs)!r}")
                return


def single(number: float) -> float:
    return struct.unpack("f", struct.pack("f", number))[0]


def plain(row: Row) -> Row:
    """Vectors as the 32-bit numbers that Milvus keeps; an absent key is a null one."""
    result: Row = {}
    for key, value in row.items():
        if value is None:
            continue
        result[key] = [single(x) for x in value] if key == "v" else value
    return result


def check_case(case: str, one: Migrated, nullable: bool) -> None:
    data = rows(nullable)
    fields = one.fields
    if case == "renamed":
        one.expect("field", "headline" in fields and "title" not in fields, True)
        for row in data:
            row["headline"] = row.pop("title")
    elif case == "filtered":
        data = [row for row in data if row["year"] >= 2015]
    elif case == "regenerated":
        one.expect("Auto ID", one.described["auto_id"], True)
        for row in data:
            row["source_id"] = row.pop("id")
        found = one.read()
        one.expect("distinct keys", len({row.pop("id") for row in found}), ROWS)
        found.sort(key=lambda row: row["source_id"])
        one.expect_rows(found, data, "source_id")
        return
    elif case == "dropped":
        one.expect("field", "price" in fields, False)
        one.expect("dynamic", one.described["enable_dynamic_field"], False)
        for row in data:
            for key in ["price", "color", "weight", "note"]:
                row.pop(key, None)
    elif case == "promoted":
        one.expect("types", [fields[name]["type"] for name in ["color", "weight"]],
                   [DataType.VARCHAR, DataType.INT64])
        data = [row for number, row in enumerate(data) if number != MIXED_ROW]
    elif case == "not_null":
        one.expect("nullable", fields["title"].get("nullable", False), False)
        for row in data:
            row["title"] = "untitled" if row["title"] is None else row["title"]
    elif case == "nullable":
        one.expect("nullable", fields["year"].get("nullable"), True)
    elif case == "defaulted":
        one.expect("default", fields["year"]["default_value"].long_data, 1999)
    elif case == "keyed":
        one.expect("partition key", fields["tenant"].get("is_partition_key"), True)
    elif case == "longer":
        one.expect("max_length", fields["title"]["params"]["max_length"], 1024)
    elif case == "loaded":
        one.expect("loaded", one.was_loaded, True)
    elif case == "copied":
        # Lite 3 keeps neither the names nor the parameters of its indexes.
        vector, scalar = ("v", "year") if nullable else ("the_v", "the_year")
        wanted = {vector: "HNSW", scalar: "INVERTED" if nullable else "STL_SORT"}
        one.expect("indexes", {name: index["index_type"] for name, index in one.indexes.items()},
                   wanted)
        one.expect("metric", one.indexes.get(vector, {}).get("metric_type"), "COSINE")
        if not nullable:
            one.expect("M", str(one.indexes["the_v"].get("M")), "12")
    elif case == "unindexed":
        one.expect("indexes", one.indexes, {})
    elif case == "parted":
        data = data[:100]
        one.expect("partitions", sorted(one.client.list_partitions(one.name)),
                   ["_default", "one"])
    elif case == "aliased":
        one.expect("aliases", list(one.client.list_aliases(one.name)["aliases"]), ["stands_for"])
    elif case == "service":
        one.expect("nullable", [fields[name].get("nullable", False)
                                for name in ["id", "title", "year", "tenant", "price"]],
                   [False, True, True, True, True])
    elif case == "places":
        data = place_rows()
        for row in data:
            row["at"], row["place"] = row["at"] or INSTANT, row["place"] or PLACE
        for name, wanted in {"at": INSTANT, "place": PLACE}.items():
            one.expect(f"nullable {name}", fields[name].get("nullable", False), False)
        one.expect("default at", fields["at"]["default_value"].timestamptz_data, 1709243999500000)
        one.expect("default place", fields["place"]["default_value"].string_data, PLACE)
        # A row without values: the target's own default is that of the nulls.
        one.client.insert(one.name, [{"id": 1000, "v": [0.5] * DIMENSION}])
        data.append({"id": 1000, "v": [0.5] * DIMENSION, "at": INSTANT, "place": PLACE})
    # A new collection of Lite 3 is loaded from the start, and one without indexes stays as it is.
    if case not in ("loaded", "unindexed"):
        one.expect("loaded", one.was_loaded, False)
    one.expect_rows(one.read(), data)


def check(arguments: argparse.Namespace) -> None:
    client = MilvusClient(uri=arguments.uri, db_name=arguments.db)
    problems: dict[str, list[str]] = {}
    for case in arguments.cases:
        try:
            one = Migrated(client, case)
            check_case(case, one, arguments.kind == "lite3")
            problems[case] = one.problems
        except Exception as error:  # noqa: BLE001 - what went wrong is the result
            problems[case] = [f"{type(error).__name__}: {error}"]
    print(json.dumps(problems, default=str))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, run in {"seed": seed, "check": check}.items():
        one = verbs.add_parser(verb)
        one.add_argument("--uri", required=True)
        one.add_argument("--for", dest="kind", choices=["lite3", "standalone"], default="lite3")
        one.set_defaults(run=run)
        if verb == "check":
            one.add_argument("--db", required=True)
        one.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    run: Callable[[argparse.Namespace], None] = arguments.run
    run(arguments)


if __name__ == "__main__":
    main()

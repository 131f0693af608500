"""Spoils some rows of a collection, as no migration should: for tests of the verification.

    spoil.py --uri URI --db D --collection C --rows N

Deletes N rows, changes a field of N others and adds N rows that were never sent; prints what it did
as one JSON object, {"dropped": […], "changed": […], "added": […]}, by keys.
"""

from __future__ import annotations

import argparse
import json

from pymilvus import DataType, MilvusClient


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uri", required=True)
    parser.add_argument("--db", required=True)
    parser.add_argument("--collection", required=True)
    parser.add_argument("--rows", type=int, default=3)
    arguments = parser.parse_args()
    client = MilvusClient(arguments.uri, db_name=arguments.db)
    name, count = arguments.collection, arguments.rows
    client.load_collection(name)
    schema = client.describe_collection(name)
    key = next(field for field in schema["fields"] if field.get("is_primary"))["name"]
    text = next(field["name"] for field in schema["fields"]
                if field["type"] == DataType.VARCHAR and field["name"] != key)
    rows = client.query(name, filter=f"{key} >= 0", limit=3 * count, output_fields=["*"],
                        consistency_level="Strong")
    dropped, changed, added = rows[:count], rows[count:2 * count], rows[2 * count:]
    client.delete(name, ids=[row[key] for row in dropped])
    for row in changed:
        row[text] = "spoiled"
    client.upsert(name, changed)
    for number, row in enumerate(added):
        row[key] = 1_000_000_000 + number
    client.insert(name, added)
    client.flush(name)
    client.release_collection(name)
    print(json.dumps({"dropped": [row[key] for row in dropped],
                      "changed": [row[key] for row in changed], "field": text,
                      "added": [row[key] for row in added]}))


if __name__ == "__main__":
    main()

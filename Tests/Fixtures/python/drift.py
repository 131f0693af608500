"""A cluster that somebody else writes to.

drift.py --uri URI [--db D] --collection C seed|add|remake|divide|drop
    seed    2,000 rows, loaded
    add     3 more
    remake  another collection of the same name, with vectors twice as long
    divide  one more partition
    drop    no such collection
"""

from __future__ import annotations

from pymilvus import MilvusClient

import seeding

DIMENSION = 8


def rows(first: int, count: int, dimension: int = DIMENSION) -> list[dict[str, object]]:
    return [{"id": key, "vector": [float(key)] * dimension, "note": "x" * 200}
            for key in range(first, first + count)]


def seed(client: MilvusClient, name: str, dimension: int = DIMENSION) -> None:
    client.create_collection(name, dimension=dimension, auto_id=False)
    client.insert(name, rows(0, 2_000, dimension))


def add(client: MilvusClient, name: str) -> None:
    client.insert(name, rows(1_000_000, 3))


def remake(client: MilvusClient, name: str) -> None:
    client.drop_collection(name)
    seed(client, name, 2 * DIMENSION)


def divide(client: MilvusClient, name: str) -> None:
    client.create_partition(name, "later")


def drop(client: MilvusClient, name: str) -> None:
    client.drop_collection(name)


def main() -> None:
    parser = seeding.parser(__doc__)
    parser.add_argument("action", choices=["seed", "add", "remake", "divide", "drop"])
    arguments = parser.parse_args()
    globals()[arguments.action](seeding.connect(arguments), arguments.collection)


if __name__ == "__main__":
    seeding.run(main)

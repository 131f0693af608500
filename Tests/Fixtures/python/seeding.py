"""What the two seeding scripts share: arguments, the collection's creation, indexes, loading."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import Any, Callable

from pymilvus import CollectionSchema, MilvusClient, MilvusException

logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

Row = dict[str, Any]


def parser(description: str | None) -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("--uri", required=True)
    result.add_argument("--token", default="")
    result.add_argument("--db", default="default", help="created when missing")
    result.add_argument("--collection", required=True)
    result.add_argument("--for", dest="kind", choices=["lite3", "standalone"], default="lite3",
                        help="what the server can hold (standalone: 2.3.5)")
    result.add_argument("--shards", type=int, default=1)
    result.add_argument("--replace", action="store_true", help="drop the collection first")
    result.add_argument("--load", choices=["all", "none", "partial"], default="all",
                        help="partial: only the first named partition (2.3.5)")
    return result


def connect(arguments: argparse.Namespace) -> MilvusClient:
    """A client in the wanted database, which is created when missing."""
    client = MilvusClient(uri=arguments.uri, token=arguments.token)
    if arguments.db not in client.list_databases():
        client.create_database(arguments.db)
    return MilvusClient(uri=arguments.uri, token=arguments.token, db_name=arguments.db)


def connect_for_new(arguments: argparse.Namespace) -> MilvusClient:
    """The same, with the collection's name free."""
    client = connect(arguments)
    if client.has_collection(arguments.collection):
        if not arguments.replace:
            raise SystemExit(f"error: {arguments.db}.{arguments.collection} exists already\n"
                             "  try: --replace")
        client.drop_collection(arguments.collection)
    return client


def create(client: MilvusClient, arguments: argparse.Namespace, schema: CollectionSchema,
           partitions: list[str]) -> None:
    # Without index parameters, so that nothing loads it yet.
    client.create_collection(arguments.collection, schema=schema, num_shards=arguments.shards,
                             consistency_level="Strong")
    for partition in partitions:
        client.create_partition(arguments.collection, partition)


def insert(client: MilvusClient, collection: str, partition: str, rows: list[Row],
           batch_rows: int) -> int:
    inserted = 0
    for at in range(0, len(rows), batch_rows):
        result = client.insert(collection, rows[at:at + batch_rows], partition_name=partition)
        inserted += result["insert_count"]
    return inserted


def index_and_load(client: MilvusClient, arguments: argparse.Namespace,
                   indexes: dict[str, tuple[str, str]], partitions: list[str]) -> None:
    """Indexes by field (type, metric); then the load that was asked for."""
    client.flush(arguments.collection)
    for field, (index_type, metric) in indexes.items():
        index = client.prepare_index_params()
        index.add_index(field, index_type=index_type, metric_type=metric)
        client.create_index(arguments.collection, index)
    if arguments.load == "all":
        client.load_collection(arguments.collection)
    elif arguments.load == "partial":
        client.load_partitions(arguments.collection, partitions[:1])
    else:
        # A new collection of Lite 3 is loaded from the start.
        client.release_collection(arguments.collection)


def run(main: Callable[[], None]) -> None:
    try:
        main()
    except MilvusException as error:
        print(f"error: the server refused: code {error.code}: {error.message}", file=sys.stderr)
        sys.exit(1)

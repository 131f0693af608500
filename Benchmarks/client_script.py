"""What most people write today to copy a collection: the official client's iterator, and inserts of the
dictionaries that it gives. Run by peers.py, which makes the target's collection before."""

from __future__ import annotations

import sys

from pymilvus import MilvusClient

PAGE_ROWS = 1000


def main() -> None:
    source_uri, source_name, target_uri, target_name = sys.argv[1:]
    source, target = MilvusClient(source_uri), MilvusClient(target_uri)
    iterator = source.query_iterator(source_name, batch_size=PAGE_ROWS, output_fields=["*"])
    copied = 0
    while rows := iterator.next():
        target.insert(target_name, rows)
        copied += len(rows)
    iterator.close()
    print(copied)


if __name__ == "__main__":
    main()

"""Searches text by BM25 on two servers and prints whether they find the same.

    search.py --source URI --target URI --collection C --text WORDS
"""

from __future__ import annotations

import argparse
import json
import logging

from pymilvus import MilvusClient

logging.getLogger("pymilvus").setLevel(logging.CRITICAL)


def found(uri: str, collection: str, text: str) -> list[tuple[str, float]]:
    client = MilvusClient(uri=uri)
    hits = client.search(collection, data=[text], anns_field="bm25", limit=200)[0]
    return sorted((hit["id"], round(hit["distance"], 4)) for hit in hits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ["source", "target", "collection", "text"]:
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    source = found(arguments.source, arguments.collection, arguments.text)
    target = found(arguments.target, arguments.collection, arguments.text)
    print(json.dumps({"equal": source == target, "hits": len(source)}))


if __name__ == "__main__":
    main()

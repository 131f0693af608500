"""Collections with everything that a server can hold, for the round trip of schemas.

    seed_everything.py --uri URI [--for lite3|standalone]

Prints the names of what it made.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from typing import Any

from pymilvus import DataType, Function, FunctionType, MilvusClient

logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

ROWS = 120
DIMENSION = 8


def vector() -> list[float]:
    return [random.random() for _ in range(DIMENSION)]


def text_search(client: MilvusClient) -> str:
    """BM25: a function makes the sparse field, so it is neither read nor sent."""
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=40)
    schema.add_field("text", DataType.VARCHAR, max_length=500, enable_analyzer=True,
                     enable_match=True, analyzer_params={"tokenizer": "standard"})
    schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=DIMENSION)
    schema.add_function(Function(name="to_bm25", function_type=FunctionType.BM25,
                                 input_field_names=["text"], output_field_names=["bm25"]))
    client.create_collection("searched", schema=schema)
    index = client.prepare_index_params()
    index.add_index("bm25", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    index.add_index("dense", index_type="HNSW", metric_type="COSINE",
                    params={"M": 8, "efConstruction": 40})
    words = ["vector", "search", "moves", "whole", "collection", "night"]
    client.insert("searched", [
        {"id": f"doc {number}", "text": " ".join(random.choices(words, k=6)), "dense": vector()}
        for number in range(ROWS)])
    client.create_index("searched", index)
    return "searched"


def several_vectors(client: MilvusClient) -> str:
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("first", DataType.FLOAT_VECTOR, dim=DIMENSION)
    schema.add_field("second", DataType.FLOAT_VECTOR, dim=4)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("note", DataType.VARCHAR, max_length=77, nullable=True)
    schema.add_field("size", DataType.INT32, default_value=42)
    schema.add_field("ratio", DataType.DOUBLE, nullable=True, default_value=0.5)
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.INT64, max_capacity=9)
    schema.add_field("extra", DataType.JSON, nullable=True)
    client.create_collection("several", schema=schema)
    for partition in ["empty", "full"]:
        client.create_partition("several", partition)
    client.insert("several", [
        {"id": number, "first": vector(), "second": vector()[:4],
         "words": {number: 0.5, number + 7: 1.25}, "note": None if number % 3 else "ä",
         "size": number, "ratio": None, "tags": list(range(number % 9)),
         "extra": {"k": [number, None]}, "loose": number}
        for number in range(ROWS)], partition_name="full")
    index = client.prepare_index_params()
    index.add_index("first", index_type="IVF_FLAT", metric_type="L2", params={"nlist": 16})
    index.add_index("second", index_type="AUTOINDEX", metric_type="IP")
    index.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    index.add_index("size", index_type="INVERTED", index_name="by_size")
    client.create_index("several", index)
    client.create_alias("several", "several_alias")
    return "several"


def partitioned_by_key(client: MilvusClient, lite: bool) -> str:
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True,
                                  description="everything by tenant")
    schema.add_field("id", DataType.INT64, is_primary=True, description="the key")
    schema.add_field("tenant", DataType.VARCHAR, max_length=64, is_partition_key=True)
    schema.add_field("flag", DataType.BOOL)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=DIMENSION, description="ä vector")
    options: dict[str, Any] = {} if lite else {
        "num_shards": 4, "num_partitions": 16, "consistency_level": "Bounded",
        "properties": {"collection.ttl.seconds": "86400"}}
    client.create_collection("keyed", schema=schema, **options)
    client.insert("keyed", [
        {"id": number, "tenant": f"t{number % 13}", "flag": number % 2 == 0, "v": vector(),
         "loose": [number]} for number in range(ROWS)])
    index = client.prepare_index_params()
    index.add_index("v", index_type="HNSW", metric_type="COSINE",
                    params={"M": 10, "efConstruction": 50})
    client.create_index("keyed", index)
    return "keyed"


def binary(client: MilvusClient) -> str:
    schema = client.create_schema(auto_id=True, description="made keys")
    schema.add_field("id", DataType.INT64, is_primary=True, auto_id=True)
    schema.add_field("bits", DataType.BINARY_VECTOR, dim=16)
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=5,
                     max_length=30)
    client.create_collection("bits", schema=schema, num_shards=2)
    client.insert("bits", [{"bits": bytes([number, 255 - number]), "tags": [f"t{number}"]}
                           for number in range(ROWS)])
    index = client.prepare_index_params()
    index.add_index("bits", index_type="BIN_IVF_FLAT", metric_type="JACCARD",
                    params={"nlist": 8})
    client.create_index("bits", index)
    client.create_alias("bits", "bits_alias")
    return "bits"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uri", required=True)
    parser.add_argument("--for", dest="kind", choices=["lite3", "standalone"], default="lite3")
    arguments = parser.parse_args()
    random.seed(11)
    client = MilvusClient(uri=arguments.uri)
    if arguments.kind == "lite3":
        made = [text_search(client), several_vectors(client), partitioned_by_key(client, True)]
    else:
        made = [partitioned_by_key(client, False), binary(client)]
    for name in made:
        client.flush(name)
        client.load_collection(name)
    print(json.dumps({"made": made, "rows": ROWS}))


if __name__ == "__main__":
    main()

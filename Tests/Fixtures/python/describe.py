"""Describes a collection as one canonical JSON object: schema, partitions, indexes, load state.

    describe.py --uri URI --collection C [--db D] [--token T]

Fields keep the order of the schema; everything that has no order is sorted; what servers make up
themselves (ids, timestamps, the dynamic field's own entry) is left out, so that two descriptions
can be compared.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from pymilvus.grpc_gen import milvus_pb2

from milvus_rows import Collection, Kind, Server, ServerRefused, reason


def pairs(entries: Any) -> dict[str, str]:
    return {entry.key: entry.value for entry in sorted(entries, key=lambda entry: entry.key)}


def described_field(field: Any) -> dict[str, Any]:
    result: dict[str, Any] = {"name": field.name, "type": Kind.Name(field.data_type)}
    if field.element_type:
        result["element_type"] = Kind.Name(field.element_type)
    result["params"] = pairs(field.type_params)
    for flag, name in [("is_primary_key", "primary_key"), ("autoID", "auto_id"),
                       ("nullable", "nullable"), ("is_partition_key", "partition_key"),
                       ("is_clustering_key", "clustering_key"),
                       ("is_function_output", "function_output")]:
        if getattr(field, flag):
            result[name] = True
    if field.HasField("default_value"):
        result["default"] = MessageToDict(field.default_value)
    if field.description:
        result["description"] = field.description
    return result


def indexes(server: Server, name: str) -> list[dict[str, Any]]:
    try:
        reply = server.call("DescribeIndex", milvus_pb2.DescribeIndexRequest(collection_name=name))
    except ServerRefused as refusal:
        if refusal.code == 700:  # no index at all
            return []
        raise
    found = [{"field": index.field_name, "name": index.index_name, "params": pairs(index.params)}
             for index in reply.index_descriptions]
    return sorted(found, key=lambda index: (index["field"], index["name"]))


def aliases(server: Server, name: str) -> list[str]:
    reply = server.call("ListAliases", milvus_pb2.ListAliasesRequest(
        db_name=server.database, collection_name=name))
    return sorted(reply.aliases)


def describe(server: Server, name: str) -> dict[str, Any]:
    collection = Collection(server, name)
    reply, schema = collection.description, collection.description.schema
    partitions = collection.partitions()
    return {
        "name": reply.collection_name or schema.name,
        "description": schema.description,
        "auto_id": any(field.autoID for field in schema.fields),
        "dynamic_field": schema.enable_dynamic_field,
        "fields": [described_field(field) for field in schema.fields if not field.is_dynamic],
        "functions": [MessageToDict(function) for function in schema.functions],
        "properties": pairs(reply.properties),
        "shards": reply.shards_num,
        "consistency_level": reply.consistency_level,
        "aliases": aliases(server, name),
        "partitions": partitions,
        "indexes": indexes(server, name),
        "load_state": collection.load_state(),
        "partition_load_states": {each: collection.load_state(each) for each in partitions},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uri", required=True)
    parser.add_argument("--token", default="")
    parser.add_argument("--db", default="default")
    parser.add_argument("--collection", required=True)
    arguments = parser.parse_args()
    try:
        server = Server(arguments.uri, arguments.token, arguments.db)
        print(json.dumps(describe(server, arguments.collection), indent=2, ensure_ascii=True))
    except (ServerRefused, grpc.RpcError) as error:
        print(f"error: {reason(error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

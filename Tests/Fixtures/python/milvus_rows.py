"""Reads every row of a Milvus collection, exactly, and checks that it was every row.

The independent witness of the tests: it shares no code and no assumption with Stopover. It speaks
through the official client's own generated messages rather than through its `query`, because that
flattens the dynamic field into the columns and turns floats into other floats; and rather than
through its iterator, because that skips the keys "" and INT64_MIN/INT64_MAX.
"""

from __future__ import annotations

import base64
import json
import logging
import struct
import time
from dataclasses import dataclass, field
from typing import Any, Iterator

import grpc
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc, schema_pb2

# The client logs every refused call with its stack; callers of these scripts read stderr.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

Kind = schema_pb2.DataType
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
DYNAMIC = "$meta"
VECTORS = {Kind.BinaryVector, Kind.FloatVector, Kind.Float16Vector, Kind.BFloat16Vector,
           Kind.SparseFloatVector, Kind.Int8Vector}
UNREADABLE = {"unreadable": "the server returns this value by no call"}
MESSAGE_LIMIT_BYTES = 512 << 20


class ServerRefused(Exception):
    """A Status that is not success; both codes, since servers fill in one or the other."""

    def __init__(self, call: str, status: common_pb2.Status) -> None:
        self.code = status.code or status.error_code
        super().__init__(f"{call}: code {status.code}, error_code {status.error_code}: "
                         f"{status.reason}")


class Unreadable(Exception):
    """The rows read are not the rows counted: nothing may be concluded from them."""


def reason(error: Exception) -> str:
    """One line for an error; what gRPC prints of itself is a page."""
    if isinstance(error, grpc.Call):
        return f"{error.code().name}: {error.details()}"
    return f"{type(error).__name__}: {error}"


@dataclass
class Server:
    """One server, and the database that the calls mean."""

    uri: str
    token: str = ""
    database: str = "default"
    stub: milvus_pb2_grpc.MilvusServiceStub = field(init=False)

    def __post_init__(self) -> None:
        address = self.uri.removeprefix("http://").rstrip("/")
        channel = grpc.insecure_channel(address, options=[
            ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
            ("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES)])
        self.stub = milvus_pb2_grpc.MilvusServiceStub(channel)

    def call(self, name: str, request: Any, timeout: float = 120) -> Any:
        """Calls by name; the reply, or ServerRefused. A gRPC failure stays a grpc.RpcError."""
        if "db_name" in request.DESCRIPTOR.fields_by_name and not request.db_name:
            request.db_name = self.database
        metadata = []
        if self.token:
            metadata = [("authorization", base64.b64encode(self.token.encode()).decode())]
        reply = getattr(self.stub, name)(request, timeout=timeout, metadata=metadata)
        status = reply if isinstance(reply, common_pb2.Status) else reply.status
        if status.code or status.error_code:
            raise ServerRefused(name, status)
        return reply


# --- values --------------------------------------------------------------------------------------


def canonical_json(data: bytes) -> Any:
    """Integers, doubles and booleans stay apart; 2.50 and 2.5, and any spacing or order of keys,
    are the same. What is no JSON at all raises ValueError."""

    def walk(value: Any) -> Any:
        if isinstance(value, bool):
            return {"bool": value}  # Python holds True and 1 to be equal
        if value is None or isinstance(value, (int, str)):
            return value
        if isinstance(value, float):
            return {"double": struct.pack("<d", value).hex()}
        if isinstance(value, list):
            return [walk(item) for item in value]
        return {"object": {key: walk(item) for key, item in sorted(value.items())}}

    return walk(json.loads(data))


def float_bits(value: float) -> str:
    return struct.pack("<f", value).hex()


def double_bits(value: float) -> str:
    return struct.pack("<d", value).hex()


def scalar_values(kind: int, column: schema_pb2.ScalarField) -> list[Any]:
    """The values of one scalar column or of one array row, floats as their bits."""
    if kind == Kind.Bool:
        return list(column.bool_data.data)
    if kind in (Kind.Int8, Kind.Int16, Kind.Int32):
        return list(column.int_data.data)
    if kind == Kind.Int64:
        return list(column.long_data.data)
    if kind == Kind.Float:
        return [float_bits(value) for value in column.float_data.data]
    if kind == Kind.Double:
        return [double_bits(value) for value in column.double_data.data]
    if kind in (Kind.VarChar, Kind.String, Kind.Timestamptz):
        return list(column.string_data.data)
    if kind == Kind.Geometry:
        return list(column.geometry_wkt_data.data)
    if kind == Kind.JSON:
        return [canonical_json(value) for value in column.json_data.data]
    raise Unreadable(f"compare cannot read columns of type {Kind.Name(kind)}")


def sparse_row(content: bytes) -> list[list[Any]]:
    pairs = [struct.unpack_from("<If", content, at) for at in range(0, len(content), 8)]
    return [[index, float_bits(value)] for index, value in sorted(pairs)]


def vector_values(column: schema_pb2.FieldData) -> list[Any]:
    vectors, kind = column.vectors, column.type
    if kind == Kind.SparseFloatVector:
        return [sparse_row(content) for content in vectors.sparse_float_vector.contents]
    if kind == Kind.FloatVector:
        data = struct.pack(f"<{len(vectors.float_vector.data)}f", *vectors.float_vector.data)
        width = 4 * vectors.dim
    else:
        name, bits = {
            Kind.BinaryVector: ("binary_vector", 1), Kind.Float16Vector: ("float16_vector", 16),
            Kind.BFloat16Vector: ("bfloat16_vector", 16), Kind.Int8Vector: ("int8_vector", 8),
        }[kind]
        data, width = getattr(vectors, name), bits * vectors.dim // 8
    if not width:
        return []
    return [data[at:at + width].hex() for at in range(0, len(data), width)]


def column_values(column: schema_pb2.FieldData, element_kind: int) -> list[Any]:
    """A column as one value per row, None for null, whichever way the server lays nulls out."""
    if column.type in VECTORS:
        values = vector_values(column)
    elif column.type == Kind.Array:
        kind = column.scalars.array_data.element_type or element_kind
        values = [scalar_values(kind, row) for row in column.scalars.array_data.data]
    elif column.type == Kind.JSON and column.valid_data:
        # At a null the placeholder is empty, and empty is no JSON.
        raw = column.scalars.json_data.data
        if len(raw) == len(column.valid_data):
            raw = [value for value, valid in zip(raw, column.valid_data) if valid]
        values = [canonical_json(value) for value in raw]
    else:
        values = scalar_values(column.type, column.scalars)
    valid = list(column.valid_data)
    if not valid:
        return values
    if len(values) == len(valid):
        return [value if ok else None for value, ok in zip(values, valid)]
    if len(values) == sum(valid):
        present = iter(values)
        return [next(present) if ok else None for ok in valid]
    raise Unreadable(f"column {column.field_name} has {len(values)} values for {len(valid)} rows "
                     f"of which {sum(valid)} are not null")


# --- a collection --------------------------------------------------------------------------------


def key_literal(value: int | str) -> str:
    if isinstance(value, int):
        return str(value)
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"),
                           ("\t", "\\t")):
        value = value.replace(plain, escaped)
    return f'"{value}"'


class Collection:
    """A collection as it is described now."""

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name = server, name
        reply = server.call("DescribeCollection",
                            milvus_pb2.DescribeCollectionRequest(collection_name=name))
        self.description = reply
        self.dynamic = reply.schema.enable_dynamic_field
        # 2.3.5 lists the dynamic field among the others; what functions compute cannot be read.
        self.fields = {f.name: f for f in reply.schema.fields
                       if not f.is_dynamic and not f.is_function_output}
        self.key = next(f.name for f in reply.schema.fields if f.is_primary_key)
        self.has_integer_key = self.fields[self.key].data_type == Kind.Int64
        self.has_partition_key = any(f.is_partition_key for f in reply.schema.fields)

    @property
    def columns(self) -> list[str]:
        """What to ask for, by name: `*` leaves things out, and Lite 3 answers an empty dynamic
        field when that is not asked for."""
        return [*self.fields, *([DYNAMIC] if self.dynamic else [])]

    def partitions(self) -> list[str]:
        reply = self.server.call("ShowPartitions",
                                 milvus_pb2.ShowPartitionsRequest(collection_name=self.name))
        return sorted(reply.partition_names)

    def load_state(self, partition: str | None = None) -> str:
        request = milvus_pb2.GetLoadStateRequest(collection_name=self.name)
        if partition:
            request.partition_names.append(partition)
        state = self.server.call("GetLoadState", request).state
        return common_pb2.LoadState.Name(state).removeprefix("LoadState")

    def load(self) -> None:
        self.server.call("LoadCollection", milvus_pb2.LoadCollectionRequest(
            collection_name=self.name, replica_number=1))
        deadline = time.monotonic() + 120
        while self.load_state() != "Loaded":
            if time.monotonic() > deadline:
                raise Unreadable(f"{self.name} did not load within 120 s")
            time.sleep(0.1)

    def release(self) -> None:
        self.server.call("ReleaseCollection",
                         milvus_pb2.ReleaseCollectionRequest(collection_name=self.name))

    def query(self, expr: str, columns: list[str], partition: str | None = None,
              **parameters: str) -> milvus_pb2.QueryResults:
        """At Strong consistency: everything acknowledged before the call is seen."""
        request = milvus_pb2.QueryRequest(
            collection_name=self.name, expr=expr, output_fields=columns,
            consistency_level=common_pb2.ConsistencyLevel.Strong, use_default_consistency=False)
        if partition:
            request.partition_names.append(partition)
        for key, value in parameters.items():
            request.query_params.add(key=key, value=value)
        return self.server.call("Query", request)

    def everything(self) -> str:
        """An expression that every key meets. Lite 3 ignores the partition when a count has no
        expression; and 2.3.5 cannot parse INT64_MIN, so that `>=` the least key will not do."""
        if self.has_integer_key:
            return f"({self.key} > 0) or ({self.key} <= 0)"
        return f'{self.key} >= ""'

    def count(self, expr: str | None = None, partition: str | None = None) -> int:
        reply = self.query(expr or self.everything(), ["count(*)"], partition)
        return reply.fields_data[0].scalars.long_data.data[0]

    def rows(self, partition: str | None = None,
             page_rows: int = 500) -> Iterator[tuple[int | str, dict[str, Any]]]:
        """Every distinct key with its row, in pages above the last key.

        Raises Unreadable if a row is counted beyond the last page and cannot be fetched.
        """
        last: int | str | None = None
        while True:
            expr = "" if last is None else f"{self.key} > {key_literal(last)}"
            reply = self.query(expr, self.columns, partition, iterator="True",
                               reduce_stop_for_best="True", limit=str(page_rows))
            page = self.decoded(reply.fields_data)
            if not page:
                break
            keys = [key for key, _ in page]
            # Varchar keys are ordered by their bytes, which is not how Python orders them.
            order = str.encode if isinstance(keys[0], str) else int
            least, greatest = min(keys, key=order), max(keys, key=order)
            if last is not None and order(least) <= order(last):
                raise Unreadable(f"the page above {last!r} begins at {least!r}")
            yield from page
            last = greatest
        rest = f"{self.key} > {key_literal(last)}" if last is not None else self.everything()
        if last != INT64_MAX and self.count(rest, partition):
            yield self.row_at_greatest_key(partition, last)

    def row_at_greatest_key(self, partition: str | None,
                            last: int | str | None) -> tuple[int | str, dict[str, Any]]:
        """2.3.5 counts the row whose key is INT64_MAX, and finds it by Search, but no Query ever
        returns it; and Search fetches vectors through a Query, so only its scalars can be had. The
        vectors are then given as UNREADABLE, which equals nothing that a reader returns."""
        where = f"the partition {partition} of {self.name}" if partition else self.name
        message = f"{where} counts rows above {last!r}, and no page returns them"
        vector = next((f for f in self.fields.values() if f.data_type == Kind.FloatVector), None)
        if not self.has_integer_key or vector is None:
            raise Unreadable(message)
        scalars = [name for name in self.columns
                   if name == DYNAMIC or self.fields[name].data_type not in VECTORS]
        dim = next(int(p.value) for p in vector.type_params if p.key == "dim")
        placeholder = common_pb2.PlaceholderGroup(placeholders=[common_pb2.PlaceholderValue(
            tag="$0", type=common_pb2.PlaceholderType.FloatVector,
            values=[struct.pack(f"<{dim}f", *([1.0] * dim))])])
        request = milvus_pb2.SearchRequest(
            collection_name=self.name, dsl=f"{self.key} == {INT64_MAX}",
            dsl_type=common_pb2.DslType.BoolExprV1, nq=1, output_fields=scalars,
            placeholder_group=placeholder.SerializeToString(),
            consistency_level=common_pb2.ConsistencyLevel.Strong, use_default_consistency=False)
        if partition:
            request.partition_names.append(partition)
        for key, value in {"anns_field": vector.name, "topk": "1", "params": "{}",
                           "metric_type": self.metric(vector.name)}.items():
            request.search_params.add(key=key, value=value)
        reply = self.server.call("Search", request).results
        if list(reply.ids.int_id.data) != [INT64_MAX]:
            raise Unreadable(message)
        found = self.decoded(reply.fields_data, scalars)
        return INT64_MAX, {name: found[0][1].get(name, UNREADABLE) for name in self.columns}

    def metric(self, vector: str) -> str:
        reply = self.server.call("DescribeIndex",
                                 milvus_pb2.DescribeIndexRequest(collection_name=self.name))
        for index in reply.index_descriptions:
            if index.field_name == vector:
                return next((p.value for p in index.params if p.key == "metric_type"), "")
        return ""

    def decoded(self, columns: Any,
                expected: list[str] | None = None) -> list[tuple[int | str, dict[str, Any]]]:
        """Columns as rows, each with its key; every expected column must be there, in full."""
        expected = expected or self.columns
        values: dict[str, list[Any]] = {}
        for column in columns:
            name = DYNAMIC if column.is_dynamic else column.field_name
            element = self.fields[name].element_type if name in self.fields else 0
            values[name] = column_values(column, element)
        if not values:
            return []
        missing = set(expected) - set(values)
        lengths = {name: len(column) for name, column in values.items()}
        if missing or len(set(lengths.values())) != 1:
            raise Unreadable(f"a page of {self.name} lacks {sorted(missing)} or its columns differ "
                             f"in length: {lengths}")
        return [(key, {name: values[name][row] for name in expected})
                for row, key in enumerate(values[self.key])]

"""What the matrix is made of: every type, every variant, and the values of each cell.

Values are random but seeded by the type's name, so that every run has the same ones. `expected`
says how `milvus_rows` reads a value back, so that a source can be checked against what was sent.
"""

from __future__ import annotations

import json
import random
import struct
from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np
from pymilvus import DataType

import milvus_rows
from seed_keys import ARRAYS, DOUBLES, DYNAMIC, FLOATS, JSONS, LONGEST, NASTY_TEXTS

PLAIN_ROWS = 40
DIM = 16
CAPACITY = 4096  # elements: the greatest that Milvus allows for an array
JSON_BYTES = 65_536  # the greatest that Milvus allows for a JSON value
GREATEST_SPARSE_INDEX = 2**32 - 2

# The columns of the table, in order, and what a reader has to know of each.
VARIANTS = {
    "plain": "random values, seeded",
    "nulls": "the field is nullable, and about every third row is null",
    "all null": "the field is nullable, and every row is null",
    "empty": "the empty string, array, JSON object, sparse vector, no dynamic key; all rows so",
    "no rows": "a collection without a row",
    "extreme": "the ends of the type, -0.0 and subnormal numbers, the longest values",
    "infinite": "±infinity and NaN, which have bits like any other float",
    "nasty": "text that breaks careless tools: quotes, escapes, control characters, any script",
}
NULLABLE = {"nulls", "all null"}


@dataclass(frozen=True)
class Type:
    """One row of the table: a field's type and its type parameters."""

    name: str
    kind: DataType
    element: DataType | None = None
    parameters: dict[str, int] = field(default_factory=dict, hash=False)
    index: tuple[str, str] | None = None  # of a vector: index type and metric

    @property
    def is_vector(self) -> bool:
        return self.index is not None

    @property
    def is_dynamic(self) -> bool:
        return self.kind == DataType.NONE

    @property
    def field_name(self) -> str:
        # Like no key of a dynamic field: Lite 3 takes such a key for the field.
        return milvus_rows.DYNAMIC if self.is_dynamic else f"a_{self.name.replace(' ', '_')}"


SCALARS = {
    "bool": DataType.BOOL, "int8": DataType.INT8, "int16": DataType.INT16,
    "int32": DataType.INT32, "int64": DataType.INT64, "float": DataType.FLOAT,
    "double": DataType.DOUBLE, "varchar": DataType.VARCHAR,
}
LENGTH = {"max_length": LONGEST}
TYPES = [
    *[Type(name, kind, parameters=LENGTH if name == "varchar" else {})
      for name, kind in SCALARS.items()],
    Type("json", DataType.JSON),
    Type("geometry", DataType.GEOMETRY),
    Type("timestamptz", DataType.TIMESTAMPTZ),
    *[Type(f"array of {name}", DataType.ARRAY, kind,
           {"max_capacity": CAPACITY} | (LENGTH if name == "varchar" else {}))
      for name, kind in SCALARS.items()],
    Type("dynamic field", DataType.NONE),
    Type("float vector", DataType.FLOAT_VECTOR, None, {"dim": DIM}, ("AUTOINDEX", "L2")),
    Type("float16 vector", DataType.FLOAT16_VECTOR, None, {"dim": DIM}, ("AUTOINDEX", "L2")),
    Type("bfloat16 vector", DataType.BFLOAT16_VECTOR, None, {"dim": DIM}, ("AUTOINDEX", "L2")),
    Type("binary vector", DataType.BINARY_VECTOR, None, {"dim": DIM}, ("AUTOINDEX", "HAMMING")),
    Type("int8 vector", DataType.INT8_VECTOR, None, {"dim": DIM}, ("AUTOINDEX", "L2")),
    # Lite 3 refuses AUTOINDEX on a sparse vector (code 6).
    Type("sparse vector", DataType.SPARSE_FLOAT_VECTOR, None, {},
         ("SPARSE_INVERTED_INDEX", "IP")),
]
BITS = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}


class NoSuchValue(Exception):
    """The type has no value of the variant; the sentence says why."""


def values(type: Type, variant: str) -> list[Any]:
    """The values of a cell, one a row; None is null. Of a dynamic field, its keys.

    Raises NoSuchValue.
    """
    if variant == "no rows":
        return []
    if variant == "all null":
        return [{"a": None, "b": None} if type.is_dynamic else None] * 10
    chosen = random.Random(f"{type.name}/{variant}")
    if variant == "nulls":
        plain = [plain_value(type, chosen) for _ in range(PLAIN_ROWS)]
        return [with_null(type, value) if chosen.random() < 0.35 else value for value in plain]
    if variant == "plain":
        return [plain_value(type, chosen) for _ in range(PLAIN_ROWS)]
    return {"empty": empty_values, "extreme": extreme_values, "nasty": nasty_values,
            "infinite": infinite_values}[variant](type)


def with_null(type: Type, value: Any) -> Any:
    """Null; in a dynamic field, one key of the row."""
    return value | {next(iter(value)): None} if type.is_dynamic else None


# --- plain ---------------------------------------------------------------------------------------


def plain_scalar(kind: DataType, chosen: random.Random) -> Any:
    if kind == DataType.BOOL:
        return chosen.random() < 0.5
    if kind in BITS:
        half = 2 ** (BITS[kind] - 1)
        return chosen.randrange(-half, half)
    if kind == DataType.FLOAT:
        return float32(chosen.uniform(-1000, 1000))
    if kind == DataType.DOUBLE:
        return chosen.uniform(-1e6, 1e6)
    if kind == DataType.GEOMETRY:
        return f"POINT ({chosen.randrange(-180, 180)} {chosen.randrange(-90, 90) + 0.5})"
    if kind == DataType.TIMESTAMPTZ:
        return f"{chosen.randrange(1971, 2100)}-0{chosen.randrange(1, 10)}-17T12:34:56Z"
    return "".join(chosen.choices("abc xyz0189-_.äß", k=chosen.randrange(1, 30)))


def plain_json(chosen: random.Random) -> dict[str, Any]:
    return {"name": plain_scalar(DataType.VARCHAR, chosen), "count": chosen.randrange(10**6),
            "ratio": chosen.uniform(-1, 1), "on": chosen.random() < 0.5,
            "list": [chosen.randrange(9) for _ in range(3)], "inner": {"depth": 2}}


def plain_value(type: Type, chosen: random.Random) -> Any:
    if type.kind == DataType.ARRAY:
        return [plain_scalar(type.element, chosen) for _ in range(chosen.randrange(1, 8))]
    if type.kind in (DataType.JSON, DataType.NONE):
        return plain_json(chosen)
    if type.kind == DataType.SPARSE_FLOAT_VECTOR:
        return {chosen.randrange(30_000): float32(chosen.uniform(0.01, 9))
                for _ in range(chosen.randrange(1, 12))}
    if type.is_vector:
        return dense(type, [chosen.uniform(-1, 1) for _ in range(DIM)])
    return plain_scalar(type.kind, chosen)


def float32(value: float) -> float:
    """As a float32 reads it: a value that it cannot hold would come back as another."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def dense(type: Type, numbers: list[float]) -> Any:
    """A dense vector as the official client takes it, from numbers of -1…1."""
    if type.kind == DataType.FLOAT_VECTOR:
        return [float32(number) for number in numbers]
    if type.kind == DataType.FLOAT16_VECTOR:
        return np.array(numbers, dtype=np.float16)
    if type.kind == DataType.INT8_VECTOR:
        return np.array([round(number * 127) for number in numbers], dtype=np.int8)
    if type.kind == DataType.BFLOAT16_VECTOR:
        # The upper half of a float32.
        return b"".join(struct.pack("<f", number)[2:] for number in numbers)
    return np.packbits([number > 0 for number in numbers]).tobytes()


# --- the other variants --------------------------------------------------------------------------


def empty_values(type: Type) -> list[Any]:
    empty: dict[DataType, Any] = {
        DataType.VARCHAR: "", DataType.JSON: {}, DataType.ARRAY: [], DataType.NONE: {},
        DataType.SPARSE_FLOAT_VECTOR: {}, DataType.GEOMETRY: "POINT EMPTY"}
    if type.kind not in empty:
        raise NoSuchValue("no value of this type is empty")
    return [empty[type.kind]] * 10


NO_NUMBERS = [float("inf"), float("-inf"), float("nan")]


# Lite 3 takes these two forms only, in any spelling.
GEOMETRIES = ["POINT (0.1 -0.1)", "POINT(1 2)", "point (179.9999999999999 -90)", "POINT (1e10 0)",
              "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))", "POLYGON((0.5 0.25,1 0,1 1,0.5 0.25))"]
TIMES = ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z",
         "2024-02-29T23:59:59.5Z", "2025-06-30T12:00:00+05:30", "9999-12-31T23:59:59.999999Z"]


def extreme_scalars(kind: DataType) -> list[Any]:
    if kind in BITS:
        half = 2 ** (BITS[kind] - 1)
        return [-half, half - 1, -half + 1, half - 2, 0, -1, 1]
    if kind == DataType.INT64:
        return [2**53 + 1]
    return {DataType.BOOL: [True, False], DataType.FLOAT: FLOATS,
            DataType.DOUBLE: DOUBLES,
            DataType.GEOMETRY: GEOMETRIES, DataType.TIMESTAMPTZ: TIMES,
            DataType.VARCHAR: ["x" * LONGEST, "é" * (LONGEST // 2), "", "👍" * (LONGEST // 4)],
            }[kind]


def nested(depth: int) -> Any:
    return {"in": nested(depth - 1)} if depth else []


def extreme_jsons() -> list[dict[str, Any]]:
    # The client's JSON has one space after each colon.
    longest = {"a": "x" * (JSON_BYTES - len('{"a": ""}'))}
    return [value for value in JSONS if "" not in value] + [
        longest, nested(60), {f"key{number}": number for number in range(2000)}]


def extreme_arrays(kind: DataType) -> list[list[Any]]:
    ends = extreme_scalars(kind)
    if kind == DataType.VARCHAR:
        short = [text[:8] for text in ends]
        return [[ends[0]], ends, [""] * CAPACITY, (short * CAPACITY)[:CAPACITY], []]
    return [ends, (ends * CAPACITY)[:CAPACITY], ends[:1], []]


def extreme_values(type: Type) -> list[Any]:
    if type.kind == DataType.JSON:
        return extreme_jsons()
    if type.kind == DataType.NONE:
        # Rows of the official client hold dynamic keys beside the fields: `id` would be the key.
        return [value for value in extreme_jsons() if "id" not in value]
    if type.kind == DataType.ARRAY:
        return extreme_arrays(type.element)
    if type.kind == DataType.SPARSE_FLOAT_VECTOR:
        every = {number * 7: float32(number + 0.5) for number in range(3000)}
        return [{0: 1.0}, {GREATEST_SPARSE_INDEX: 0.5}, {0: 1e-45, GREATEST_SPARSE_INDEX: 3e38},
                every]
    if type.is_vector:
        return extreme_vectors(type)
    return extreme_scalars(type.kind)


def extreme_vectors(type: Type) -> list[Any]:
    bits: dict[DataType, tuple[str, list[int]]] = {
        # ±greatest, ±smallest subnormal, -0.0 and the neighbour of 1, as bit patterns.
        DataType.FLOAT_VECTOR: ("<I", [0x7F7FFFFF, 0xFF7FFFFF, 1, 0x80000001, 0x80000000,
                                       0x3F800001]),
        DataType.FLOAT16_VECTOR: ("<H", [0x7BFF, 0xFBFF, 1, 0x8001, 0x8000, 0x3C01]),
        DataType.BFLOAT16_VECTOR: ("<H", [0x7F7F, 0xFF7F, 1, 0x8001, 0x8000, 0x3F81]),
        DataType.INT8_VECTOR: ("<B", [0x80, 0x7F, 0, 0xFF]),
        DataType.BINARY_VECTOR: ("<B", [0, 0xFF, 1, 0x80]),
    }
    form, ends = bits[type.kind]
    items = DIM // 8 if type.kind == DataType.BINARY_VECTOR else DIM
    result = []
    for start in range(len(ends)):
        data = b"".join(struct.pack(form, ends[(start + at) % len(ends)]) for at in range(items))
        result.append({
            DataType.FLOAT_VECTOR: lambda: list(struct.unpack(f"<{DIM}f", data)),
            DataType.FLOAT16_VECTOR: lambda: np.frombuffer(data, dtype=np.float16),
            DataType.INT8_VECTOR: lambda: np.frombuffer(data, dtype=np.int8),
        }.get(type.kind, lambda: data)())
    return result


def infinite_values(type: Type) -> list[Any]:
    if type.kind in (DataType.FLOAT, DataType.DOUBLE):
        return NO_NUMBERS
    if type.element in (DataType.FLOAT, DataType.DOUBLE):
        return [NO_NUMBERS, [1.0, *NO_NUMBERS], NO_NUMBERS[2:]]
    if type.kind == DataType.FLOAT_VECTOR:
        return [[1.0] * (DIM - 1) + [number] for number in NO_NUMBERS]
    if type.kind in (DataType.FLOAT16_VECTOR, DataType.BFLOAT16_VECTOR):
        patterns = [0x7C00, 0x7E00] if type.kind == DataType.FLOAT16_VECTOR else [0x7F80, 0x7FC0]
        rows = [struct.pack("<H", pattern) * DIM for pattern in patterns]
        return rows if type.kind == DataType.BFLOAT16_VECTOR else [
            np.frombuffer(row, dtype=np.float16) for row in rows]
    if type.kind == DataType.SPARSE_FLOAT_VECTOR:
        return [{1: number} for number in NO_NUMBERS]
    raise NoSuchValue("the type holds no floating-point number of that kind")


def nasty_values(type: Type) -> list[Any]:
    short = [text for text in NASTY_TEXTS if len(text) <= 5000]
    if type.kind == DataType.VARCHAR:
        return list(NASTY_TEXTS)
    if type.element == DataType.VARCHAR:
        return [[text, "", text] for text in NASTY_TEXTS] + ARRAYS["texts"][1]
    if type.kind == DataType.JSON:
        return [{"text": text, "list": [text], text: 1} for text in short]
    if type.kind == DataType.NONE:
        return [{"text": text, "list": [text], "key " + text: 1} for text in short] + DYNAMIC
    raise NoSuchValue("the type holds no text")


# --- as the reader gives it back -----------------------------------------------------------------


def expected(type: Type, value: Any) -> Any:
    """`value` as `milvus_rows` reads it: floats by their bits, JSON canonical, null as None."""
    if type.kind in (DataType.JSON, DataType.NONE):
        if value is None:
            return None
        return milvus_rows.canonical_json(json.dumps(value).encode())
    if value is None:
        return None
    if type.kind == DataType.SPARSE_FLOAT_VECTOR:
        return [[index, milvus_rows.float_bits(item)] for index, item in sorted(value.items())]
    if type.kind == DataType.FLOAT_VECTOR:
        return struct.pack(f"<{len(value)}f", *value).hex()
    if type.is_vector:
        return bytes(value).hex() if isinstance(value, bytes) else value.tobytes().hex()
    bits: dict[DataType | None, Callable[[float], str]] = {
        DataType.FLOAT: milvus_rows.float_bits, DataType.DOUBLE: milvus_rows.double_bits}
    if type.kind == DataType.ARRAY:
        return [bits[type.element](item) if type.element in bits else item for item in value]
    return bits[type.kind](value) if type.kind in bits else value

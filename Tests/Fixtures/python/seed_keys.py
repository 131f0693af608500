"""Loads a collection of keys and values that break careless tools.

    seed_keys.py --uri URI --collection C [--db D] [--for lite3|standalone] [--key int64|varchar]
        [--without-greatest-key]

Keys at the ends of their type, keys that need escaping, keys that only look alike; every scalar
type at its extremes, empty arrays of every element type, and for Lite 3 nulls in every type, a
second vector and a sparse one. Prints one JSON object with the number of rows.

--without-greatest-key leaves INT64_MAX out: no Query of 2.3.5 ever returns that row.
"""

from __future__ import annotations

import argparse
import json
import struct
from typing import Any

from pymilvus import CollectionSchema, DataType, MilvusClient

import seeding

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
LONGEST = 65_535

INTEGER_KEYS = [INT64_MIN, INT64_MIN + 1, -(2**53) - 1, -(2**32), -(2**31) - 1, -1000, -2, -1, 0, 1,
                2, 10, 1000, 2**31, 2**32, 2**53, 2**53 + 1, INT64_MAX - 1, INT64_MAX]

# Ordered by nothing; servers order them by their UTF-8 bytes.
NASTY_TEXTS = [
    "", " ", "  leading and trailing  ", '"', "'", '"quoted"', "it's", "\\", "\\\\", "\\n", '\\"',
    'ends with \\', "line\nbreak", "\r\n", "\t", "tab\tinside", "null", "NULL", "None", "true", "0",
    "-1", "1e3", "%", "%%", "100%_like", "_", "*", "?", "$meta", "{}", "[]", '{"a": 1}', "${HOME}",
    "; drop collection", "-- comment", "/* comment */", "a and b", "id in [1]", "(", ")", "{name}",
    "\u0001", "\u007f", "\u0085", "\u00a0", "\u200b", "\u2028", "\ufeff", "\ufffd", "\uffff",
    "é", "e\u0301", "ß", "SS", "İ", "ﬁ", "日本語", "العربية", "עברית", "👍", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪",
    "𝔘𝔫𝔦", "Z", "z", "a", "A", "aa", "\U0010ffff",
    "k" * 4096, "k" * LONGEST, "é" * (LONGEST // 2), "\\" * 1000, '"' * 1000, "\n" * 1000,
]

FLOATS = [0.0, -0.0, 1.0, -1.0, 0.1, 1e-45, -1e-45, 1.1754943508222875e-38, 3.4028234663852886e38,
          -3.4028234663852886e38, 16777217.0, 1 / 3]
DOUBLES = [0.0, -0.0, 1.0, -1.0, 0.1, 5e-324, -5e-324, 2.2250738585072014e-308,
           1.7976931348623157e308, -1.7976931348623157e308, 9007199254740993.0, 1 / 3]
JSONS: list[Any] = [
    {}, {"a": None}, {"a": True, "b": False}, {"int": 1, "double": 1.0, "half": 2.5},
    {"big": INT64_MAX, "small": INT64_MIN, "odd": 2**53 + 1}, {"nested": {"list": [1, "2", [3.5, {}]]}},
    {"": "empty key", " ": " ", "a.b": 1, "a\"b": 2, "a\\b": 3, "é": "é", "e\u0301": "e\u0301"},
    {"text": "line\nbreak\t\"quoted\" \\ 👍"}, {"tiny": 5e-324, "huge": 1.7976931348623157e308},
    {"long": "x" * 60_000}, {"list": []}, {"id": "shadows a column's name"},
]
ARRAYS: dict[str, tuple[DataType, list[list[Any]]]] = {
    "bools": (DataType.BOOL, [[], [True], [False, True, False]]),
    "int8s": (DataType.INT8, [[-128, 127, 0], [], [1]]),
    "int16s": (DataType.INT16, [[], [-32768, 32767]]),
    "int32s": (DataType.INT32, [[-(2**31), 2**31 - 1], [0], []]),
    "int64s": (DataType.INT64, [[], [INT64_MIN, INT64_MAX, 0, -1]]),
    "floats": (DataType.FLOAT, [[-0.0, 1e-45, 3.4028234663852886e38], []]),
    "doubles": (DataType.DOUBLE, [[], [-0.0, 5e-324, 1.7976931348623157e308], [0.1]]),
    "texts": (DataType.VARCHAR, [[], [""], ["é", "e\u0301", '"', "\\", "\n"], ["a", "", "👍"]]),
}
DYNAMIC: list[dict[str, Any]] = [
    {}, {"color": "red"}, {"count": 1}, {"count": 1.0}, {"count": "1"}, {"flag": False},
    {"nested": {"a": [1, 2.5, None]}}, {"ключ": "значение", "key with space": 1},
    {"quote\"d": "\\", "big": 2**53 + 1, "list": []},
]
# As float32 reads them: a value that a float32 cannot hold would come back as another.
FLOATS = [struct.unpack("<f", struct.pack("<f", value))[0] for value in FLOATS]


def scalars() -> dict[str, tuple[DataType, list[Any], dict[str, int]]]:
    """Name, type, values in turn, type parameters."""
    return {
        "flag": (DataType.BOOL, [True, False], {}),
        "tiny": (DataType.INT8, [-128, 127, 0, -1], {}),
        "small": (DataType.INT16, [-32768, 32767, 0], {}),
        "medium": (DataType.INT32, [-(2**31), 2**31 - 1, 0], {}),
        "large": (DataType.INT64, [INT64_MIN, INT64_MAX, 0, -1, 2**53 + 1], {}),
        "single": (DataType.FLOAT, FLOATS, {}),
        "double": (DataType.DOUBLE, DOUBLES, {}),
        "text": (DataType.VARCHAR, NASTY_TEXTS, {"max_length": LONGEST}),
        "json": (DataType.JSON, JSONS, {}),
    }


def schema(arguments: argparse.Namespace) -> CollectionSchema:
    result = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=True)
    if arguments.key == "varchar":
        result.add_field("id", DataType.VARCHAR, is_primary=True, max_length=LONGEST)
    else:
        result.add_field("id", DataType.INT64, is_primary=True)
    for name, (kind, _, parameters) in scalars().items():
        result.add_field(name, kind, **parameters)
        if arguments.kind == "lite3":
            result.add_field(f"{name}_or_null", kind, nullable=True, **parameters)
    for name, (kind, _) in ARRAYS.items():
        result.add_field(name, DataType.ARRAY, element_type=kind, max_capacity=16, max_length=64)
    result.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
    if arguments.kind == "lite3":
        result.add_field("second", DataType.FLOAT_VECTOR, dim=2)
        result.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    return result


def row(number: int, key: int | str, kind: str) -> dict[str, Any]:
    result: dict[str, Any] = {"id": key}
    for name, (_, values, _) in scalars().items():
        result[name] = values[number % len(values)]
        if kind == "lite3":
            # Nulls in runs of differing length, and never in step with the values.
            null = number % 3 == 1 or number % 7 == 2
            result[f"{name}_or_null"] = None if null else values[(number + 1) % len(values)]
    for name, (_, values) in ARRAYS.items():
        result[name] = values[number % len(values)]
    result["vector"] = [FLOATS[(number + offset) % len(FLOATS)] for offset in range(3)] + [1.0]
    if kind == "lite3":
        result["second"] = [float(number), -1.0]
        result["sparse"] = {number: 0.5, 1_000_000 + number: float(number + 1)}
    return result | DYNAMIC[number % len(DYNAMIC)]


def main() -> None:
    parser = seeding.parser(__doc__)
    parser.add_argument("--key", choices=["int64", "varchar"], default="int64")
    parser.add_argument("--without-greatest-key", action="store_true")
    arguments = parser.parse_args()

    keys: list[int | str] = list(NASTY_TEXTS)
    if arguments.key == "int64":
        # Enough ordinary keys beside the special ones that every text comes by as a value.
        keys = sorted({*INTEGER_KEYS, *range(3000, 3000 + len(NASTY_TEXTS))})
        if arguments.without_greatest_key:
            keys.remove(INT64_MAX)
    rows = [row(number, key, arguments.kind) for number, key in enumerate(keys)]

    client = seeding.connect_for_new(arguments)
    seeding.create(client, arguments, schema(arguments), [])
    inserted = seeding.insert(client, arguments.collection, "_default", rows, batch_rows=100)
    indexes = {"vector": ("AUTOINDEX", "L2")}
    if arguments.kind == "lite3":
        # Lite 3 refuses AUTOINDEX on a sparse vector (code 6).
        indexes |= {"second": ("AUTOINDEX", "COSINE"), "sparse": ("SPARSE_INVERTED_INDEX", "IP")}
    seeding.index_and_load(client, arguments, indexes, [])
    print(json.dumps({"database": arguments.db, "collection": arguments.collection,
                      "rows": inserted}))


if __name__ == "__main__":
    seeding.run(main)

"""Seeds the sources of the matrix, and finds out what a server cannot hold, in its own words."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pymilvus import CollectionSchema, DataType, MilvusClient, MilvusException

import matrix_types
import seeding
from matrix_types import NULLABLE, VARIANTS, NoSuchValue, Type
from milvus_rows import Collection, Server

# Keys of a variant's rows begin at a multiple of this, so that a key says its variant.
KEYS_PER_VARIANT = 10_000
DATABASE = "matrix"
PROBE = "probe"
FILLER = "filler"  # Lite 3 has no collection without a vector
# 2.3.5 waits seconds in each flush and load, so that many go side by side.
SEEDING_THREADS = 8
# 2.3.5 dies when its query node merges two inserts of one ("unsupported data type: Float16Vector",
# insert_node.go:66); one insert can be flushed, loaded and read.
ONE_INSERT = {DataType.FLOAT16_VECTOR}
# What a server is not offered, because it would take it and die.
DEADLY = {("standalone", DataType.TIMESTAMPTZ):
          "takes the rows, and dies when it writes them: “panic: unsupported data type” "
          "(payload_writer.go:543)"}
# Not every target has them, and a plan refuses whole collections.
ALONE = {DataType.GEOMETRY, DataType.TIMESTAMPTZ}
NO_SUCH_VALUE = "no such value"

Cell = tuple[Type, str]
Examples = dict[Cell, list[tuple[Any, Any]]]


@dataclass(frozen=True)
class Shape:
    """One collection of a source, and the cells that it stands for: types are its fields, variants
    are groups of its rows. A field has plain values in the rows of a variant that is no cell."""

    name: str
    cells: tuple[Cell, ...]
    is_nullable: bool = False

    @property
    def types(self) -> list[Type]:
        return list(dict.fromkeys(type for type, _ in self.cells))

    @property
    def variants(self) -> list[str]:
        return list(dict.fromkeys(variant for _, variant in self.cells))

    @property
    def needs_filler(self) -> bool:
        return not any(type.is_vector for type in self.types)

    def columns(self, variant: str) -> dict[Type, list[Any]]:
        return {type: matrix_types.values(type, variant if (type, variant) in self.cells
                                          else "plain") for type in self.types}

    def rows(self, variant: str) -> list[seeding.Row]:
        """As many as the longest column has values; shorter ones begin anew."""
        if variant == "no rows":
            return []
        columns = self.columns(variant)
        result = []
        for number in range(max(len(values) for values in columns.values())):
            row: seeding.Row = {"id": first_key(variant) + number}
            for type, values in columns.items():
                value = values[number % len(values)]
                row |= value if type.is_dynamic else {type.field_name: value}
            result.append(row | ({FILLER: [0.5, 0.25]} if self.needs_filler else {}))
        return result

    def halves(self) -> list[Shape]:
        """Two collections with half of the types each, or half of the variants; none for a cell."""
        for at, parts in enumerate((self.types, self.variants)):
            if len(parts) > 1:
                first = set(parts[:len(parts) // 2])
                chosen = [tuple(cell for cell in self.cells if (cell[at] in first) == wanted)
                          for wanted in (True, False)]
                return [Shape(f"{self.name}_{number}", cells, self.is_nullable)
                        for number, cells in enumerate(chosen)]
        return []


def first_key(variant: str) -> int:
    return KEYS_PER_VARIANT * list(VARIANTS).index(variant)


def variant_of(key: int) -> str:
    return list(VARIANTS)[key // KEYS_PER_VARIANT]


def shapes(refused: dict[Cell, str]) -> list[Shape]:
    """As few collections as hold every cell that is not refused. Empty and null columns are alone,
    so that whole pages are. A field of 2.3.5 that is no float vector is its only vector."""
    result = []
    first_vector = next(type for type in matrix_types.TYPES if type.is_vector)
    single = [type for type in matrix_types.TYPES
              if type.kind in ALONE or (type.is_vector and type != first_vector)]
    several = [type for type in matrix_types.TYPES if type not in single]
    for types in [several, *[[type] for type in single]]:
        groups: dict[str, list[Cell]] = {}
        for variant in VARIANTS:
            for type in types:
                if (type, variant) in refused:
                    continue
                # Keys of a dynamic field can be null in a collection that knows no nulls.
                alone = variant in ("empty", "no rows", "infinite") or (
                    variant in NULLABLE and not type.is_dynamic)
                group = variant if alone else "values"
                if variant == "infinite" and type.is_vector:
                    group = "infinite vector"
                groups.setdefault(group, []).append((type, variant))
        for group, cells in groups.items():
            name = f"{types[0].name if len(types) == 1 else 'scalars'} {group}".replace(" ", "_")
            result.append(Shape(name, tuple(cells), group in NULLABLE))
    return result


def said(error: MilvusException) -> str:
    """The server's own words, without what the client wraps around them."""
    text = re.sub(r"^\[\w+\] Retry run out of \d+ retry times, ", "", str(error.message))
    text = re.sub(r"^message=", "", re.sub(r", channel_state=.*", "", text, flags=re.DOTALL))
    # The number of rows that the probe happened to send is no part of the reason.
    text = re.sub(r"num_rows \(\d+\): invalid parameter\[expected=\d+\]\[actual=\d+\]",
                  "num_rows", text)
    return f"says “{' '.join(text.split())}”"


class Seeder:
    """One source server, of the kind `lite3` or `standalone`."""

    def __init__(self, kind: str, uri: str) -> None:
        self.kind, self.uri = kind, uri
        self.server = Server(uri, database=DATABASE)
        client = MilvusClient(uri=uri)
        if DATABASE not in client.list_databases():
            client.create_database(DATABASE)
        self.client = MilvusClient(uri=uri, db_name=DATABASE)

    # --- what it cannot hold ---------------------------------------------------------------------

    def refusals(self) -> dict[Cell, str]:
        """The cells that the server cannot hold, or that do not exist, with the reason."""
        result: dict[Cell, str] = {}
        for type in matrix_types.TYPES:
            if deadly := DEADLY.get((self.kind, type.kind)):
                result |= {(type, variant): deadly for variant in VARIANTS}
                continue
            self.probe(type, [variant for variant in VARIANTS
                              if variant != "no rows" and variant not in NULLABLE], False, result)
            if (type, "plain") in result:
                result |= {(type, variant): result[type, "plain"] for variant in VARIANTS}
            else:
                self.probe(type, ["nulls", "all null"], not type.is_dynamic, result)
            self.client.drop_collection(PROBE)
        return result

    def probe(self, type: Type, variants: list[str], nullable: bool,
              result: dict[Cell, str]) -> None:
        """Offers rows of each variant to a collection that is dropped again."""
        self.client.drop_collection(PROBE)
        try:
            self.create(Shape(PROBE, ((type, "plain"),), nullable))
        except MilvusException as error:
            result |= {(type, variant): said(error) for variant in variants}
            return
        loses = nullable and not Collection(self.server, PROBE).fields[type.field_name].nullable
        for variant in variants:
            try:
                rows = Shape(PROBE, ((type, variant),), nullable).rows(variant)
                if nullable:
                    # Beside other rows in a request, a null vector becomes zeros on Lite 3.
                    rows = [row for row in rows if row[type.field_name] is None]
                self.insert(PROBE, rows)
                if loses:
                    result[type, variant] = "makes the field without nullable and says nothing"
            except NoSuchValue:
                result[type, variant] = NO_SUCH_VALUE
            except MilvusException as error:
                result[type, variant] = ("makes the field without nullable, and of a null "
                                         if loses else "") + said(error)

    # --- seeding ---------------------------------------------------------------------------------

    def seed_all(self, wanted: list[Shape]) -> None:
        """Each with its rows, indexed and loaded. Raises MilvusException."""
        with ThreadPoolExecutor(SEEDING_THREADS) as pool:
            list(pool.map(self.seed, wanted))

    def seed(self, shape: Shape) -> None:
        self.create(shape)
        # Before the rows: the client waits for the index, and after a flush 2.3.5 now and then takes
        # 50 s for it (3 of 12 runs; 0 of 8 this way).
        vectors = [(type.field_name, type.index) for type in shape.types if type.index]
        for name, (kind, metric) in vectors or [(FILLER, ("AUTOINDEX", "L2"))]:
            index = self.client.prepare_index_params()
            index.add_index(name, index_type=kind, metric_type=metric)
            self.client.create_index(shape.name, index)
        # One request a variant: its columns are then all empty, or all null.
        requests = [shape.rows(variant) for variant in shape.variants]
        if any(type.kind in ONE_INSERT for type in shape.types):
            requests = [[row for rows in requests for row in rows]]
        for rows in requests:
            if rows:
                self.insert(shape.name, rows)
        self.client.flush(shape.name)
        self.client.load_collection(shape.name)

    def create(self, shape: Shape) -> None:
        self.client.create_collection(shape.name, schema=schema(shape), num_shards=1,
                                      consistency_level="Strong")

    def insert(self, name: str, rows: list[seeding.Row]) -> None:
        self.client.insert(name, rows, retry_times=2)

    def undescribed(self, shape: Shape) -> dict[str, set[str]]:
        """Type parameters that the server was given and does not describe, by field."""
        fields = Collection(self.server, shape.name).fields
        return {type.field_name: set(type.parameters) - {pair.key for pair in
                                                         fields[type.field_name].type_params}
                for type in shape.types if not type.is_dynamic}

    def changes(self, shape: Shape) -> Examples:
        """What the server gives back otherwise than it was sent: pairs of sent and read."""
        found: Examples = {}
        read = dict(Collection(self.server, shape.name).rows())
        for variant in shape.variants:
            columns, first = shape.columns(variant), first_key(variant)
            for key in (row["id"] for row in shape.rows(variant)):
                for type, values in columns.items():
                    sent = matrix_types.expected(type, values[(key - first) % len(values)])
                    got = read[key][type.field_name] if key in read else "no row"
                    if sent != got:
                        found.setdefault((type, variant), []).append((sent, got))
        return found


def schema(shape: Shape) -> CollectionSchema:
    dynamic = any(type.is_dynamic for type in shape.types)
    result = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=dynamic)
    result.add_field("id", DataType.INT64, is_primary=True)
    for type in shape.types:
        if type.is_dynamic:
            continue
        extra: dict[str, Any] = dict(type.parameters)
        if type.element is not None:
            extra["element_type"] = type.element
        if shape.is_nullable:
            extra["nullable"] = True
        result.add_field(type.field_name, type.kind, **extra)
    if shape.needs_filler:
        result.add_field(FILLER, DataType.FLOAT_VECTOR, dim=2)
    return result

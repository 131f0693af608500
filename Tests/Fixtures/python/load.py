"""Loads a collection, as the last line of a migration says to.

    load.py --uri URI --collection C [--db D] [--token T]
"""

from __future__ import annotations

import json

import seeding


def main() -> None:
    arguments = seeding.parser(__doc__).parse_args()
    client = seeding.connect(arguments)
    client.load_collection(arguments.collection)
    print(json.dumps({"loaded": arguments.collection}))


if __name__ == "__main__":
    seeding.run(main)

"""Makes rows and a user of a server with users on, and gives it privileges or takes them.

rights.py URI seed                          500 rows in the collection things
rights.py URI user NAME PASSWORD            the user, with a role of the same name
rights.py URI grant|revoke NAME PRIVILEGE…  for every collection of every database
"""

from __future__ import annotations

import sys

from pymilvus import MilvusClient

ROOT = "root:Milvus"
# Object type of each privilege that is not of a collection (2.3.5).
GLOBAL = {"CreateCollection", "DropCollection", "RenameCollection", "DescribeCollection",
          "ShowCollections", "CreateDatabase", "ListDatabases", "CreateAlias", "ListAliases"}


def main(uri: str, action: str, name: str = "", *rest: str) -> None:
    client = MilvusClient(uri, token=ROOT)
    if action == "seed":
        client.create_collection("things", dimension=8, auto_id=False)
        client.insert("things", [{"id": i, "vector": [float(i)] * 8} for i in range(500)])
        client.create_alias("things", "stuff")
        return
    if action == "user":
        client.create_user(name, rest[0])
        client.create_role(name)
        client.grant_role(name, name)
        return
    change = {"grant": client.grant_privilege, "revoke": client.revoke_privilege}[action]
    for privilege in rest:
        kind = "Global" if privilege in GLOBAL else "Collection"
        change(name, kind, privilege, "*", db_name="*")


if __name__ == "__main__":
    main(*sys.argv[1:])

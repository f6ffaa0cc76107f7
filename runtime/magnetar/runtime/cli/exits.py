"""What an exit status means, and which one an error is."""

from __future__ import annotations

from enum import IntEnum

from typer.exceptions import TyperException

from magnetar.runtime.bus.port import BusError, Refused, SchemaRefused
from magnetar.runtime.compose.errors import AppNotFound, UnknownPlace, WorkerFailed
from magnetar.runtime.errors import AppInvalid, HandlerFailed, MagnetarError, MisuseError
from magnetar.runtime.servers.errors import ServerError
from magnetar.runtime.store.port import StoreError, StoreMismatch
from magnetar.schemas import ContractInvalid, EncodeFailed, SchemaError, SchemaInvalid, SchemaUnavailable
from magnetar.schemas.errors import GateInvalid


class Exit(IntEnum):
    """The exit statuses of every command."""

    OK = 0
    NO = 1
    USAGE = 2
    UNAVAILABLE = 3
    DEFECT = 70
    INTERRUPTED = 130


MEANINGS = {
    Exit.OK: "done; the answer is yes",
    Exit.NO: "the answer is no: a drift, a conflict, a danger, a key never seen, a shard without a live owner, "
    "a broken invariant, a worker that had to stop",
    Exit.USAGE: "the command cannot be understood: an option, a name, a message, an app that cannot start as it is",
    Exit.UNAVAILABLE: "something outside cannot be reached or does not answer: the broker, the store, a file, a server",
    Exit.DEFECT: "a defect: in Magnetar, or a handler that never returned; with `--debug` it tells where",
    Exit.INTERRUPTED: "interrupted: Ctrl-C, or a second signal while a worker was draining",
}


class BadInput(MagnetarError):
    """What was given on the command line, or in a line of input, cannot be used; the message says what would be."""


class AppBroken(MagnetarError):
    """Importing the app's module raised: its own code, or something it imports, is wrong."""


_STATUS: tuple[tuple[type[BaseException], Exit], ...] = (
    (Refused, Exit.NO),
    (SchemaRefused, Exit.NO),
    (StoreMismatch, Exit.NO),
    (WorkerFailed, Exit.NO),
    (HandlerFailed, Exit.NO),
    (BusError, Exit.UNAVAILABLE),
    (StoreError, Exit.UNAVAILABLE),
    (SchemaUnavailable, Exit.UNAVAILABLE),
    (ServerError, Exit.UNAVAILABLE),
    (OSError, Exit.UNAVAILABLE),
    (BadInput, Exit.USAGE),
    (AppBroken, Exit.USAGE),
    (AppInvalid, Exit.USAGE),
    (AppNotFound, Exit.USAGE),
    (UnknownPlace, Exit.USAGE),
    (MisuseError, Exit.USAGE),
    (ContractInvalid, Exit.USAGE),
    (SchemaInvalid, Exit.USAGE),
    (EncodeFailed, Exit.USAGE),
    (GateInvalid, Exit.USAGE),
    (SchemaError, Exit.NO),
    (MagnetarError, Exit.NO),
)


def status_of(error: BaseException) -> int:
    """The exit status for an error; `DEFECT` for one that nobody has foreseen."""
    if isinstance(error, TyperException):
        return error.exit_code
    return next((int(status) for kind, status in _STATUS if isinstance(error, kind)), int(Exit.DEFECT))


def last_word(error: BaseException) -> str:
    """One readable text for an error: what happened, to what, and what to do."""
    if isinstance(error, TyperException):
        return f"{error.format_message().rstrip('.')}{_where_to_look(error)}"
    if status_of(error) == Exit.DEFECT:
        return f"{type(error).__name__}: {error}; this is a defect: `magnetar --debug …` tells where, please report it"
    return str(error) or type(error).__name__


def _where_to_look(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    return "" if context is None else f"; see `{context.command_path} --help`"

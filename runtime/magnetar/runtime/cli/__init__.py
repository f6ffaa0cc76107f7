"""The command line. Each group of commands has a room of its own, and reaches brokers and stores through `compose`."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

LIBRARIES = frozenset({"pydantic_settings", "rich", "structlog", "typer"})
"""What the command line needs beyond the runtime: the extra `cli`."""


def main() -> None:
    """The program `magnetar`: runs the command that its arguments name, and ends with its exit status."""
    try:
        program = import_module("magnetar.runtime.cli.program")
    except ModuleNotFoundError as error:
        if error.name not in LIBRARIES:
            raise
        sys.stderr.write(f"error: the command line needs {error.name}: install magnetar[cli]\n")
        sys.exit(3)
    status = program.run(sys.argv[1:])
    gc.freeze()  # all of it goes with the process: nobody has to look for cycles among a million objects first
    sys.exit(status)

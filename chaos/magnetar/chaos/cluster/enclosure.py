"""A place that leaves nothing behind: namespaces of one's own for network, mounts and processes.

A program starts itself anew inside of them. With its first process, however that ends, the kernel ends every other
one in there, and bridges, interfaces and named namespaces go with them: there is nothing to tidy up. Root may do this,
and so may others where user namespaces are allowed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

_OUTSIDE = "MAGNETAR_ENCLOSED_FROM"
_KINDS = ("net", "mnt", "pid")
_OWN = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_AS_USER = ("--user", "--map-current-user", "--keep-caps")
_TRY_SECONDS = 10.0


def is_inside() -> bool:
    """Whether this process was started by `enter`."""
    return not shared()


def shared() -> str:
    """What this process shares with whoever called `enter`, in words; empty inside."""
    outside = os.environ.get(_OUTSIDE)
    if outside is None:
        return "nobody has entered one"
    same = [kind for kind, theirs, ours in zip(_KINDS, outside.split(), _identities(), strict=True) if theirs == ours]
    return f"it shares {', '.join(same)} with who entered it" if same else ""


def why_not() -> str:
    """Why no namespaces can be made here; empty if they can."""
    command = [
        *_unshare(),
        "sh",
        "-c",
        "mount -t tmpfs tmpfs /run && ip link add probe type bridge && ip netns add probe",
    ]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TRY_SECONDS)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    return "" if tried.returncode == 0 else tried.stderr.strip().splitlines()[-1]


def enter(module: str, arguments: Sequence[str], first: Sequence[str] = ()) -> NoReturn:
    """Become a process that runs a module of this interpreter inside, and ends with its exit status.

    `first` is the command of the first process inside, to which that of the module is given; without it the module's
    is the first. SIGKILL for this process is one for all of them.
    """
    command = [*_unshare(), *first, sys.executable, "-m", module, *arguments]
    sys.stdout.flush()
    os.execvpe(command[0], command, {**os.environ, _OUTSIDE: " ".join(_identities())})  # noqa: S606


def _identities() -> list[str]:
    """Of the namespaces of this process."""
    return [str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in _KINDS]


def _unshare() -> list[str]:
    return ["unshare", *(() if os.geteuid() == 0 else _AS_USER), *_OWN]

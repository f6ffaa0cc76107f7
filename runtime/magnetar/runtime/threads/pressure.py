"""How long the loop waited for a processor, by the kernel's account; a machine that has none to spare is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_ACCOUNT = Path("/proc/thread-self/schedstat")
_NANOSECONDS = 1_000_000_000
_LEAST, _LONGEST = 0.002, 0.1


def relief(waited: float) -> float:
    """For how many seconds to leave the processors alone, when one was waited for for so many. Pure.

    As long again: then no more than half of the time goes into waiting. Not for a wait that any machine has now and
    then, and not so long that a person would notice.
    """
    return min(waited, _LONGEST) if waited >= _LEAST else 0.0


class Pressure:
    """The calling thread's waits: ready to run, and no processor took it. One object per thread, used by that alone."""

    def __init__(self, account: Path = _ACCOUNT) -> None:
        """`account`: nanoseconds on a processor, nanoseconds waited, times run. Where there is none, nothing waits."""
        try:
            self._file: BinaryIO | None = account.open("rb", buffering=0)
        except OSError:
            self._file = None
        self._waited = self._read()

    def since_last(self) -> float:
        """Seconds waited since the last call, or since the beginning. Two microseconds a call."""
        before, self._waited = self._waited, self._read()
        return max(0.0, (self._waited - before) / _NANOSECONDS)

    def close(self) -> None:
        """Look no more."""
        if self._file is not None:
            self._file.close()

    def _read(self) -> int:
        if self._file is None:
            return 0
        self._file.seek(0)
        fields = self._file.read(128).split()
        return int(fields[1]) if len(fields) > 1 else 0

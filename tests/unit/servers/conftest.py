"""A server distribution small enough to be made, broken and installed in milliseconds."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from magnetar.runtime.servers.distribution import Distribution, Progress
from magnetar.runtime.servers.java import Java, find_java

FILES: Mapping[str, tuple[int, bytes]] = {
    "tiny-1/bin/pulsar": (0o755, b"#!/usr/bin/env bash\nexit 1\n"),
    "tiny-1/conf/standalone.conf": (0o600, b"webServicePort=8080\nlastLine=1"),
}


def packed(files: Mapping[str, tuple[int, bytes]], links: Mapping[str, str] | None = None) -> bytes:
    """A tar.gz of some files, and of symbolic links."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, (mode, content) in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.uid = len(content), mode, 12345
            archive.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return out.getvalue()


def pinned(archive: bytes) -> Distribution:
    """The lock of an archive."""
    return Distribution(
        group="org.example",
        artifact="tiny",
        version="1",
        classifier="bin",
        packaging="tar.gz",
        folder="tiny-1",
        size_bytes=len(archive),
        unpacked_bytes=1000,
        sha512=hashlib.sha512(archive).hexdigest(),
    )


@dataclass
class Repository:
    """A downloader that answers each call with the next archive it was given, the last one for ever."""

    answers: list[bytes]
    calls: int = field(default=0)

    def __call__(self, distribution: Distribution, into: Path, progress: Progress) -> Path:
        """Write what a connection brought, whole or not."""
        answer = self.answers[min(self.calls, len(self.answers) - 1)]
        self.calls += 1
        (file := into / "tiny-1-bin.tar.gz").write_bytes(answer)
        progress("downloading", len(answer), distribution.size_bytes)
        return file


@pytest.fixture
def fake_home(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a distribution whose `bin/pulsar` is a script of the test's own."""

    def make(script: str) -> Path:
        home = tmp_path / "home"
        (home / "bin").mkdir(parents=True)
        (home / "conf").mkdir()
        (home / "bin" / "pulsar").write_text(script, encoding="utf-8")
        (home / "conf" / "standalone.conf").write_text("webServicePort=8080\n", encoding="utf-8")
        return home

    return make


@pytest.fixture
def java(tmp_path: Path) -> Java:
    """A runtime that states a version and can do nothing else."""
    return find_java(None, lambda: fake_java(tmp_path / "java", "21.0.8"))


def fake_java(home: Path, version: str) -> Path:
    """A JAVA_HOME whose `java` is a script that states a version."""
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-07-15' >&2\n", encoding="utf-8")
    program.chmod(0o755)
    return home


def disk_usage_without_room(path: Path) -> int:
    """A disk that is full, as far as anybody asks."""
    assert shutil.disk_usage(path).total > 0  # it is asked of a directory that exists
    return 1_000_000

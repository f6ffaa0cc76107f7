"""Each test of the contract runs over HTTP with a real emulator process, and with the double in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from pydantic import SecretStr

from magnetar.actors.providing.emulator.conduct import Conduct
from magnetar.actors.providing.emulator.double import DoubleProvider
from magnetar.actors.providing.emulator.process import ProviderProcess
from magnetar.actors.providing.over_http import HttpProvider
from magnetar.actors.providing.settings import ProviderSettings
from tests.contract.provider.harness import Counterpart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.actors.providing.emulator.book import Entry
    from tests.contract.provider.harness import ProviderHarness

TOKEN = "a-token-of-tests"
PATIENCE = 0.4
HARNESSES = ["http_harness", "double_harness"]


class HttpHarness:
    """The adapter, and a process that is shared by the tests of a file."""

    def __init__(self, process: ProviderProcess) -> None:
        self._process = process
        token = SecretStr(TOKEN)
        self.provider = HttpProvider(ProviderSettings(url=process.url, token=token, read_timeout=PATIENCE))

    def behave(self, conduct: Conduct) -> None:
        """As the harness says."""
        self._process.behave(conduct)

    def entries(self) -> list[Entry]:
        """As the harness says."""
        return self._process.entries()


class DoubleHarness:
    """The double, which waits for nothing."""

    def __init__(self) -> None:
        self.provider = DoubleProvider()

    def behave(self, conduct: Conduct) -> None:
        """As the harness says."""
        self.provider.become(conduct)

    def entries(self) -> list[Entry]:
        """As the harness says."""
        return self.provider.entries


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """A real process with a log of its own."""
    with ProviderProcess(tmp_path_factory.mktemp("provider") / "log.jsonl", TOKEN) as process:
        yield process


@pytest.fixture
def http_harness(emulator: ProviderProcess) -> Iterator[HttpHarness]:
    """Over HTTP; the process behaves well at first."""
    emulator.behave(Conduct())
    harness = HttpHarness(emulator)
    with harness.provider:
        yield harness


@pytest.fixture
def double_harness() -> DoubleHarness:
    """In this process."""
    return DoubleHarness()


@pytest.fixture(params=HARNESSES)
def at(request: pytest.FixtureRequest) -> Counterpart:
    """The adapter under test."""
    return Counterpart(cast("ProviderHarness", request.getfixturevalue(request.param)))


@pytest.fixture
def there(http_harness: HttpHarness) -> Counterpart:
    """The one over HTTP, for what only a network does."""
    return Counterpart(http_harness)

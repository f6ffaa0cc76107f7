"""`magnetar up`, `down` and `status`: real servers on this machine, a Pulsar or a Pulsar cluster, and a PostgreSQL."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from magnetar.runtime.cli import screen
from magnetar.runtime.cli import server_pictures as pictures
from magnetar.runtime.cli.exits import Exit
from magnetar.runtime.cli.options import AsJson  # noqa: TC001 - typer reads annotations when it runs
from magnetar.runtime.cli.server_plans import Plans
from magnetar.runtime.compose import machine
from magnetar.runtime.compose.places import store_place
from magnetar.runtime.servers import kept, ports, postgres_kept
from magnetar.runtime.servers.cluster import kept as cluster_kept
from magnetar.runtime.servers.cluster.addresses import Asked
from magnetar.runtime.servers.errors import AlreadyRunning, NoAccount, PathClosed, PostgresMissing
from magnetar.runtime.servers.record import Layout, running

if TYPE_CHECKING:
    from magnetar.runtime.cli.server_pictures import Facts

Data: TypeAlias = Annotated[
    Path | None, typer.Option(help="Directory of the servers' data and logs; kept from one start to the next.")
]
Port: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=1, max=65535, help="Port for clients; 6650 or any free one if not given. A second broker has the next one."
    ),
]
WebPort: TypeAlias = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port of the REST API, likewise; 8080 or any free one.")
]
Archive: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="The distribution as a file, for machines without a network; it is checked the same."),
]
Cluster: TypeAlias = Annotated[
    bool, typer.Option("--cluster", help="ZooKeeper, three bookies and two brokers in place of one process.")
]
Host: TypeAlias = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Address that a cluster and PostgreSQL listen on and are reached at.")
]
NoPostgres: TypeAlias = Annotated[bool, typer.Option("--no-postgres", help="Start no PostgreSQL.")]
GivenStore: TypeAlias = Annotated[
    str | None, typer.Option(metavar="URL", help="A store that there is already: postgresql://…; none is started.")
]


def up(  # noqa: PLR0913 - each is an option
    *,
    cluster: Cluster = False,
    data: Data = None,
    host: Host = ports.HOST,
    port: Port = None,
    web_port: WebPort = None,
    no_postgres: NoPostgres = False,
    store: GivenStore = None,
    archive: Archive = None,
    as_json: AsJson = False,
) -> None:
    """Start a Pulsar and a PostgreSQL, wait until they are ready, and print where they are and what to export.

    The first time Pulsar is fetched into the cache: 245 MB, checked against a pinned SHA-512. A start takes the ports
    of the last one, else 6650, 8080 and 5432, else any free ones. The servers run until `magnetar down`; those of the
    same data that already run are left as they are and printed. With --cluster each member that ends is started again
    by a supervisor; a first start takes half a minute longer, for an archive of classes. Exit status 3: something could
    not be started, the message says what and why.

        $ magnetar up
        $ magnetar up --cluster
        $ magnetar up --store postgresql://shop@db.example/shop
    """
    began = time.monotonic()
    if store is not None:
        store_place(store)  # no half an answer for a URL that is none
    where = _data(data)
    facts = (
        _cluster_up(where, Asked(host, port, web_port, usual=True), archive)
        if cluster
        else _pulsar_up(where, port, web_port, archive)
    )
    postgres = None if no_postgres or store is not None else _postgres_up(where / "postgres", host)
    url = None if postgres is None else str(postgres["store_url"])  # one that was given may hold a password
    export = pictures.exported(str(facts["service_url"]), str(facts["admin_url"]), url)
    facts["seconds"] = round(time.monotonic() - began, 1)
    pictures.tell(facts, postgres, export, as_json=as_json)


def down(data: Data = None, as_json: AsJson = False) -> None:
    """Stop what `magnetar up` started, all of it and nothing else; its data stays."""
    where = _data(data)
    cluster = cluster_kept.bring_down(where / "cluster")
    pulsar = kept.bring_down(where)
    postgres = postgres_kept.bring_down(where / "postgres")
    facts = (
        pictures.of_pulsar(pulsar, "not running" if pulsar is None else "stopped", where)
        if cluster is None
        else pictures.of_cluster(cluster, "stopped", where / "cluster")
    )
    gone = None if postgres is None else pictures.of_postgres(postgres, "stopped", where / "postgres")
    pictures.tell(facts, gone, as_json=as_json)


def status(data: Data = None, as_json: AsJson = False) -> None:
    """Say whether the servers run and answer; of a cluster, each member.

    Exit status 0: they do; 1: no Pulsar runs; 3: something runs and does not answer.
    """
    where = _data(data)
    facts, problem = _bus(where)
    postgres, complaint = _store(where / "postgres")
    pictures.tell(facts, postgres, as_json=as_json)
    for text in (problem, complaint):
        if text:
            screen.tell(text)
    if problem or complaint:
        raise typer.Exit(Exit.UNAVAILABLE)
    if facts["state"] == "not running":
        raise typer.Exit(Exit.NO)


def _data(given: Path | None) -> Path:
    return given or machine.places().data / "pulsar"


def _pulsar_up(where: Path, port: int | None, web_port: int | None, archive: Path | None) -> Facts:
    other = cluster_kept.look(where / "cluster")
    if other is not None:
        raise AlreadyRunning(where / "cluster", other.address.service_url, other.address.admin_url)
    found, started = kept.bring_up(
        where, kept.Wanted(port, web_port), lambda: Plans(where, archive).pulsar(port, web_port)
    )
    return pictures.of_pulsar(found, _state(started=started), where)


def _cluster_up(where: Path, asked: Asked, archive: Path | None) -> Facts:
    other = running(Layout(where.absolute()))
    if other is not None:
        raise AlreadyRunning(where, other.address.service_url, other.address.admin_url)
    place = where / "cluster"
    found, started = cluster_kept.bring_up(place, asked, lambda: Plans(place, archive).cluster(asked))
    return pictures.of_cluster(found, _state(started=started), place)


def _postgres_up(place: Path, host: str) -> Facts | None:
    """None, with a line on stderr, on a machine where none can be started."""
    try:
        found, started = postgres_kept.bring_up(place, host, lambda: Plans(place, None).postgres(host))
    except (PostgresMissing, NoAccount, PathClosed) as problem:
        screen.tell(f"no PostgreSQL: {problem}")
        return None
    return pictures.of_postgres(found, _state(started=started), place)


def _state(*, started: bool) -> str:
    return "started" if started else "running"


def _bus(where: Path) -> tuple[Facts, str]:
    """The cluster if something of it runs, else the Pulsar; and what is wrong."""
    cluster = cluster_kept.look(where / "cluster")
    if cluster is not None:
        state = "not answering" if cluster.problem else "running"
        return pictures.of_cluster(cluster, state, where / "cluster"), cluster.problem
    seen = kept.look(where)
    if seen is None:
        return pictures.of_pulsar(None, "not running", where), ""
    found, problem = seen
    return pictures.of_pulsar(found, "not answering" if problem else "running", where), problem


def _store(place: Path) -> tuple[Facts | None, str]:
    seen = postgres_kept.look(place)
    if seen is None:
        return None, ""
    found, problem = seen
    return pictures.of_postgres(found, "not answering" if problem else "running", place), problem

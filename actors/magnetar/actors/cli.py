"""What the shop adds to the command line."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from magnetar.actors.charging import CHARGE_LIFECYCLE, REFUND_LIFECYCLE
from magnetar.actors.demo.command import demo
from magnetar.actors.lifecycle import mermaid, table
from magnetar.actors.ordering import ORDER_LIFECYCLE
from magnetar.actors.paying import PAYMENT_LIFECYCLE
from magnetar.actors.providing.emulator.command import provider
from magnetar.actors.stocking import STOCK_LIFECYCLE

app = typer.Typer()
order = typer.Typer(no_args_is_help=True, help="The shop that ships with Magnetar: orders, stock and payments.")
app.add_typer(order, name="order")
app.command()(demo)
app.command()(provider)


class Drawn(StrEnum):
    """Whose life is drawn."""

    ORDERS = "orders"
    STOCK = "stock"
    PAYMENTS = "payments"
    CHARGES = "charges"
    REFUNDS = "refunds"


@order.callback()
def shop() -> None:
    """The shop that ships with Magnetar: orders, stock and payments."""


@order.command()
def lifecycle(
    of: Annotated[
        Drawn, typer.Argument(help="Whose life: of an order, a reservation, a payment, or its charge and refunds.")
    ] = Drawn.ORDERS,
    *,
    as_table: Annotated[
        bool, typer.Option("--table", help="What comes of every message in every status, as a Markdown table.")
    ] = False,
) -> None:
    """Draw a life as a Mermaid state diagram: from status to status, by message and outcome."""
    match of:
        case Drawn.ORDERS:
            typer.echo(table(ORDER_LIFECYCLE) if as_table else mermaid(ORDER_LIFECYCLE), nl=False)
        case Drawn.STOCK:
            typer.echo(table(STOCK_LIFECYCLE) if as_table else mermaid(STOCK_LIFECYCLE), nl=False)
        case Drawn.PAYMENTS:
            typer.echo(table(PAYMENT_LIFECYCLE) if as_table else mermaid(PAYMENT_LIFECYCLE), nl=False)
        case Drawn.CHARGES:
            typer.echo(table(CHARGE_LIFECYCLE) if as_table else mermaid(CHARGE_LIFECYCLE), nl=False)
        case Drawn.REFUNDS:
            typer.echo(table(REFUND_LIFECYCLE) if as_table else mermaid(REFUND_LIFECYCLE), nl=False)

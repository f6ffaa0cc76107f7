"""`python -m magnetar.actors.providing.emulator` is `magnetar provider`."""

import typer

from magnetar.actors.providing.emulator.command import provider

typer.run(provider)

"""What chaos adds to the command line; what a command needs is imported when it runs, so that others start fast."""

from magnetar.chaos.cli import drawing, playing, proving, staging
from magnetar.chaos.cli.group import app

__all__ = ["app", "drawing", "playing", "proving", "staging"]

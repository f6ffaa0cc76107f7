"""`python -m magnetar.runtime.cli`: the program `magnetar`, for who starts it by its interpreter."""

from magnetar.runtime.cli import main

main()

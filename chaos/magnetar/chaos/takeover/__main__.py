"""`python -m magnetar.chaos.takeover`: play the report and print its table."""

from magnetar.chaos.takeover.telling import main

raise SystemExit(main())

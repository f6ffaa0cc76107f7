"""`python -m magnetar.chaos.simulation`: run seeds and tell what happened."""

from magnetar.chaos.simulation.telling import main

raise SystemExit(main())

"""`python -m magnetar.chaos.parking`: play it, and print what it came to."""

from magnetar.chaos.parking.telling import main

raise SystemExit(main())

"""`python -m magnetar.chaos.paying`: play it, and print what it came to."""

from magnetar.chaos.paying.telling import main

raise SystemExit(main())

"""`python -m magnetar.chaos.zoo`: hunt every bug, or those that are named."""

from magnetar.chaos.zoo.telling import main

raise SystemExit(main())

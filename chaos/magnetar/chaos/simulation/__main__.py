"""`python -m magnetar.chaos.simulation`: run seeds and tell what happened."""

from magnetar.chaos.simulation.telling import main
from magnetar.runtime.compose.process import tune_collector

tune_collector()
raise SystemExit(main())

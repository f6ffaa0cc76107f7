"""The demo: the shop under load with a crash half-way, and an oracle that counts everything afterwards."""

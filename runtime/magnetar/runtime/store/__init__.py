"""The store: one row per shard, and everything that belongs to it. `port` is the contract, the packages beside it its adapters."""

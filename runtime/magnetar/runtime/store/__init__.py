"""The store: one row per shard, and all that belongs to it. `port` is the contract, the packages here its adapters."""

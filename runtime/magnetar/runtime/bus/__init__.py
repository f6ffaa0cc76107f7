"""The bus: partitioned topics with exclusive subscriptions. `port` is the contract, the packages beside it its adapters."""

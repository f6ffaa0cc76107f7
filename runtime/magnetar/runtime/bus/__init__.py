"""The bus: partitioned topics with exclusive subscriptions. `port` is the contract, the packages here its adapters."""

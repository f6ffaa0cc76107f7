"""Apache Pulsar: the bus of production. Only this package imports the client (ADR 0002)."""

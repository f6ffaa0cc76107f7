"""The one composition root: nothing else reads settings, opens adapters, or starts threads of a worker.

Import from its modules: a tool that reads a store need not load a worker's threads, a broker's client and a metrics
registry before it can start.
"""

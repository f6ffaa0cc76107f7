"""The engine: machines that carry a message from a partition to a committed, published outcome, one phase a step.

`turn` is the page to read first; `ownership`, `timers` and `relay` are the other machines. All of them work on the
same `Shard`s, in one thread, and none of them owns a thread, a clock or a source of randomness.
"""

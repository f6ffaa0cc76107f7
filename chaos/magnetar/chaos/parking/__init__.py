"""Whether healthy orders notice the failing ones: on a real Pulsar and PostgreSQL, with workers that are killed.

Orders come at a steady rate, whatever becomes of them. In every other window some of them fail a few times, and some
for good; in each window a worker is killed. In the end topics and store are read, and say whether anything was lost,
reordered, done twice or given up that was not poison; and the healthy orders of the windows with failures are compared
with those of the windows without.

In the order of a run: `plan` are the orders, `desks` the app, `ground` the servers, `sending` the customers, `run`
plays it, `judging` compares, `telling` is the command.
"""

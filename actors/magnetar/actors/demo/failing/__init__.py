"""The demo's second stage: a shop whose payment provider fails, is killed and lies, and customers with a bug.

In the order of a run: `plan` is what customers send, `shop` the app, `stage` plays it, `judging` counts.
"""

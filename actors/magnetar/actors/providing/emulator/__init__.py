"""A payment provider as a process of its own, as unpleasant as it is told to be, with a log that survives its death.

`magnetar provider` starts it. The standard library's threading server serves it: a slow or silent answer costs a thread
and nothing else, and how connections end is part of what it plays, which a good server would not let it do.
"""

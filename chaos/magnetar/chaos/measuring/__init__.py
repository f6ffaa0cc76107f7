"""What a run came to, by what was seen of it: everything here is pure.

`points` makes operations of what was sent and what became of it, `figures` measures them, `tenures` says who had what
when, `findings` lets the checkers look, `lists` and `timers` are those of what the load itself is about, `judging` says
whether all of it shows what it should.
"""

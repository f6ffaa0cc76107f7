"""What customers do while a cluster is harmed: orders from end to end, and lists that are only appended to.

`market` is the app, and `elder` what it was a release ago; `plan` says what is sent when, `pace` how fast, `sending`
sends it. `armed` is a worker that dies where it is told to, by its `arms`.
"""

"""What customers do while a cluster is harmed: orders from end to end, and lists that are only appended to.

`market` is the app, `plan` says what is sent when, `sending` sends it.
"""

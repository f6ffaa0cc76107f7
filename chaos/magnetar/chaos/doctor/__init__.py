"""What can be done to a cluster on this machine: each primitive is tried, in an enclosure, and nothing is believed.

`findings` are what is told, `tools` and `probing` try, `asking` enters the enclosure, `telling` prints.
"""

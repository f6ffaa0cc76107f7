"""What is done to a cluster: each fault is struck, proven to have taken effect, healed, and proven to have healed.

A fault is plain data (`processes`, `links`, `topics`, `disks`), its targets (`targets`) are found when it strikes, and
`striking` does the rest: what was not proven is told as such, and is never counted.
"""

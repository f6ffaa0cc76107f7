"""The same scenarios in a Kubernetes cluster that is there to be harmed, as resources of Chaos Mesh.

`ground` says where who runs, `aiming` whom a fault selects there, `striking` what it is as a fault of Chaos Mesh,
`workflow` puts those of a scenario into their time, and `rendering` writes it down. Whatever Chaos Mesh cannot do is a
`Lack` (`lacks`): a scenario that has one is not rendered at all, for half of it would be another scenario.
All of it is pure but for reading and writing files. `docs/operations/chaos-in-staging.md` says how to use it.
"""

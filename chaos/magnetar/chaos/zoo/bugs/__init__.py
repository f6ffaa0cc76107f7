"""The bugs, one a file, named for what is done wrong. Each file has a `BUG`."""

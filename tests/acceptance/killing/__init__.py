"""A worker process that dies at every fault point."""

"""Two worker processes on a real broker and a real PostgreSQL: what a client and an operator rely on."""

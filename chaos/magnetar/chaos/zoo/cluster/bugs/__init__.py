"""One bug a file; each says in its first lines which rule it breaks, and what becomes of it on a real cluster."""

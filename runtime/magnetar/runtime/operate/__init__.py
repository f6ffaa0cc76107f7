"""What operators ask, answered from a store's views: one key's state, and its story. Nothing here writes or prints."""

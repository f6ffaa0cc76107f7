"""SQL as it is: named queries and numbered migrations in `.sql` files, and the little code that reads them."""

"""What pages show, fetched: one module a page; each function takes the tables and only reads."""

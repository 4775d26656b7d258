"""What pages show: one module for each page, whose functions take the tables and only read."""

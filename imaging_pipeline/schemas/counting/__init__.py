"""Numbers that people ask of the tables and that plain joins and sums get wrong."""

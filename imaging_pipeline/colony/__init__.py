"""Animals: from a source, compared with the tables, into the tables."""

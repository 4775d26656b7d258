"""Animals of the colony system: read from a source, compared with the tables, and written there."""

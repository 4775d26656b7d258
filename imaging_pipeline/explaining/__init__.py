"""Why something is not done, from what is known of it: no database, no files."""

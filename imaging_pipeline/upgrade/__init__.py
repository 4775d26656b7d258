"""Moving a database from an older schema version to this one."""

"""Jobs as people see them: what there is to do, what became of it, and what a person does about it.

Everything is a function of `schemas.tables.Tables`, so that each thread of a web server has it on its own
connection. A job is a row of DataJoint's job table, or a key that no worker has met yet.
"""

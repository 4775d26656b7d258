"""Jobs as people see them: what is to be made, how far it is, and what a person does about it.

Everything is a function of `schemas.tables.Tables`, because each thread of a web server has a connection of
its own. A job is a row of DataJoint's job table, or a key that has none because no worker has looked yet.
"""

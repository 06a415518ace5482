"""A queue on a server: what PostgreSQL needs beside the operations that all share.

database     how a server is used by many machines at once
connection   one that notices when the other end is gone
hosts        several addresses of one database, and which of them were good
primaries    which host can be written
rights       what a role may not do
skiplocked   claims that do not wait for each other
"""

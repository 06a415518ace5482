"""A queue on a server: what PostgreSQL needs beside the operations that all share.

database     how a server is used by many machines at once
connection   connections that notice when the other end is gone
hosts        several addresses of one database, and which of them was good
primaries    which hosts can be written to
rights       what a role may not do
skiplocked   claims that do not wait for each other
"""

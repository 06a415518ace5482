"""A queue in a file: what SQLite needs beside the operations that all queues share.

database       how it is opened and written, so that a commit is on disk
connection     its connections; no fork inherits one
lock           one writes at a time, the others wait their turn
ownerror       an error of SQLite's kind that we raise ourselves
presence       who has the file open: none makes another one in its place
filesystem     what the file lies on, and may not
damage         text in it that is none, for who only shows it
housekeeping   the files kept from growing for good
backup         a copy of a queue that is in use
"""

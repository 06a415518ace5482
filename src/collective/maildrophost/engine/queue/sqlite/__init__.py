"""A queue in a file: what SQLite needs beside the operations that all queues share.

database       how it is opened and written, so that a commit is on disk
connection     its connections; no fork inherits one
lock           one writes at a time, the others wait their turn
ownerror       an error of SQLite's kind that we raise ourselves
presence       who has the file open: nobody makes another one in its place
filesystem     on which kinds of file system the file may not lie
damage         damaged text in it, for those who only show it
housekeeping   the files kept from growing for good
backup         a copy of a queue that is in use
"""

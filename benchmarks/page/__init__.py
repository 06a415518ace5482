"""What a page pays for its mail: `MailHost.send` with the commit, ours and others'."""

from .compare import main

__all__ = ["main"]

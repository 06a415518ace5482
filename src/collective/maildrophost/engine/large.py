"""Which messages are large: those whose content fills a memory."""

# A hundred connections with nothing but messages of just this size take 100 MB. Smaller
# ones need no care, and nearly all mail is.

from __future__ import annotations

LARGE_OCTETS = 2**20
"""Content of more than these is large."""

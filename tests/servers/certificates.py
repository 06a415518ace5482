"""A certificate authority with one certificate for loopback (trustme)."""

from __future__ import annotations

import ssl
import tempfile
from datetime import datetime
from pathlib import Path


class Certificates:
    """``with Certificates() as certificates:``; `ca_file` is the path of the CA."""

    def __init__(self, *names: str, not_after: datetime | None = None) -> None:
        import trustme

        authority = trustme.CA()
        self.server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate = authority.issue_cert(
            *(names or ("localhost", "127.0.0.1")), not_after=not_after
        )
        certificate.configure_cert(self.server_context)
        self._folder = tempfile.TemporaryDirectory()
        self.ca_file = str(Path(self._folder.name, "ca.pem"))
        authority.cert_pem.write_to_path(self.ca_file)

    def __enter__(self) -> Certificates:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._folder.cleanup()

"""The one frozen object that a configuration file becomes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..queueurl import QueueURL
from ..secrets import Secret
from ..wording import Wording
from .hostport import HostPort
from .relays import RelayAddress


@dataclass(frozen=True)
class Configuration:
    """Every option, converted and checked; `OPTIONS` has what each one means.

    Times are seconds unless the name says days. ``warnings`` are lines for the log.
    """

    path: Path
    warnings: tuple[Wording, ...]
    python: str
    home: Path
    spool: tuple[Path, ...]
    var: Path
    pid_file: Path
    log_file: Path
    queue: QueueURL
    relays: tuple[RelayAddress, ...]
    tls: int
    tls_ca_file: str
    tls_verify: bool
    helo_name: str
    login: str
    password: Secret
    password_file: str
    allow_cleartext_login: bool
    auth: str
    oauth_token_url: str
    oauth_client_id: str
    oauth_client_secret_file: str
    oauth_scope: str
    oauth_refresh_token_file: str
    interval: float
    concurrency: int
    batch: int
    rate: int
    wait_interval: float
    retry_min: float
    retry_max: float
    lifetime: float
    warn_after: float
    bounce: bool
    postmaster: str
    add_messageid: bool
    history_days: int
    failed_days: int
    stop_timeout: float
    metrics: HostPort | None
    debug: bool
    debug_receiver: tuple[str, ...]
    supervised_daemon: bool

"""What can be watched of a daemon: figures for Prometheus, its health for probes."""

from .monitoring import Monitoring

__all__ = ["Monitoring"]

"""Delivery: claims in, verdicts out, over a few connections to the relay."""

from .bookkeeper import Bookkeeper, bookkeeper
from .delivery import Delivery
from .route import Route

__all__ = ["Bookkeeper", "Delivery", "Route", "bookkeeper"]

"""Runs `maildropctl` as ``python -m collective.maildrophost.engine.cli``."""

from . import main

raise SystemExit(main())

"""The directories of a configuration, where the daemon has to make them."""

from __future__ import annotations

import os
from pathlib import Path

from collective.maildrophost.engine.daemon.directories import make_directories


def test_its_name_is_on_disk_before_a_file_is_put_into_it(site, monkeypatch):
    synced = set()
    monkeypatch.setattr(
        os, "fsync", lambda number: synced.add(os.readlink(f"/proc/self/fd/{number}"))
    )
    spool = site.home / "shared" / "spool"
    site.configure(MAILDROP_SPOOL=spool)
    make_directories(site.configuration)
    assert spool.is_dir()
    assert synced == {str(site.home), str(spool.parent)}
    synced.clear()
    make_directories(site.configuration)
    assert not synced


def test_another_daemon_may_make_them_at_the_same_moment(site, monkeypatch):
    make = Path.mkdir

    def slower_than_another(path, *arguments, **options):
        if path == spool:
            make(path, parents=True)
        make(path, *arguments, **options)

    spool = site.home / "spool"
    monkeypatch.setattr(Path, "mkdir", slower_than_another)
    make_directories(site.configuration)
    assert spool.is_dir()

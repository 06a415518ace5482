"""What `check` finds."""

from __future__ import annotations


def failed(site, subject: str) -> str:
    """What the check says of a subject that it finds wrong."""
    ended = site.ctl("check", "--json")
    assert ended.status == 1
    texts = [
        finding["text"]
        for finding in ended.json
        if (finding["subject"], finding["level"]) == (subject, "failed")
    ]
    assert texts, ended.out
    return texts[0]


def fine(site, subject: str, **environ: str) -> list[str]:
    """What it says of a subject where all is well."""
    return _found(site, subject, "ok", **environ)


def warned(site, subject: str) -> list[str]:
    """What it says of a subject that somebody should look at."""
    return _found(site, subject, "warning")


def _found(site, subject: str, level: str, **environ: str) -> list[str]:
    return [
        finding["text"]
        for finding in site.ctl("check", "--json", **environ).json
        if (finding["subject"], finding["level"]) == (subject, level)
    ]

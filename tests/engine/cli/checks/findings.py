"""What `check` finds."""

from __future__ import annotations


def texts(found: list[dict[str, str]], subject: str, level: str) -> list[str]:
    """What the check says of a subject at a level: "ok", "warning", "failed"."""
    return [
        each["text"]
        for each in found
        if (each["subject"], each["level"]) == (subject, level)
    ]


def failed(site, subject: str) -> str:
    """What the check says of a subject that it finds wrong."""
    ended = site.ctl("check", "--json")
    assert ended.status == 1
    said = texts(ended.json, subject, "failed")
    assert said, ended.out
    return said[0]


def fine(site, subject: str, **environ: str) -> list[str]:
    """What it says of a subject where all is well."""
    return texts(site.ctl("check", "--json", **environ).json, subject, "ok")


def warned(site, subject: str) -> list[str]:
    """What it says of a subject that somebody should look at."""
    return texts(site.ctl("check", "--json").json, subject, "warning")

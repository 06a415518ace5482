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
    found = site.ctl("check", "--json", **environ).json
    return [
        finding["text"]
        for finding in found
        if (finding["subject"], finding["level"]) == (subject, "ok")
    ]

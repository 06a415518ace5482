"""Collect what is to be translated, bring every translation up to date, compile it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pythongettext.msgfmt import Msgfmt

HERE = Path(__file__).resolve().parent.parent
DOMAIN = "collective.maildrophost"
PACKAGE = HERE / "src" / "collective" / "maildrophost"
LOCALES = PACKAGE / "locales"


def main() -> int:
    template = LOCALES / f"{DOMAIN}.pot"
    collect(template)
    for translation in translations():
        i18ndude("sync", "--no-wrap", "--pot", str(template), str(translation))
        translation.with_suffix(".mo").write_bytes(compiled(translation))
    return 0


def collect(template: Path) -> None:
    """Write every text of the package into `template`, which keeps its head."""
    options = ["--no-wrap", "--no-line-numbers", "--pot", str(template)]
    i18ndude("rebuild-pot", *options, "--create", DOMAIN, str(PACKAGE))


def translations() -> list[Path]:
    """The catalog of each language."""
    return sorted(LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def compiled(translation: Path) -> bytes:
    """The catalog as gettext reads it."""
    with translation.open("rb") as catalog:
        return bytes(Msgfmt(catalog).get())


def i18ndude(*arguments: str) -> None:
    program = "import sys; from i18ndude.script import main; sys.exit(main())"
    subprocess.run([sys.executable, "-c", program, *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main())

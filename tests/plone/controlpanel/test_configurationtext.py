"""What the settings page shows of a configuration's file."""

from __future__ import annotations

import pytest

from collective.maildrophost.controlpanel.configurationtext import options
from collective.maildrophost.engine.config import load

WORD = "sesame7"


@pytest.mark.parametrize(
    ("queue", "shown"),
    [
        (f"//me:{WORD}@db/mail", "//me:***@db/mail"),
        (f"///mail?password={WORD}&host=db", "///mail?password=***&host=db"),
    ],
)
def test_no_secret_is_shown(tmp_path, queue, shown):
    path = tmp_path / "maildrop.conf"
    path.write_text(
        f"MAILDROP_HOME='{tmp_path}'\nMAILDROP_LOGIN=me\nMAILDROP_PASSWORD={WORD}\n"
        f"MAILDROP_QUEUE='postgresql+psycopg:{queue}'\n"
    )
    values = {each["name"]: each["value"] for each in options(load(path, {}))}
    assert values["MAILDROP_QUEUE"] == f"postgresql+psycopg:{shown}"
    assert WORD not in str(values)

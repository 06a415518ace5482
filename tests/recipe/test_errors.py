"""The words of a buildout that stops at a wrong option."""

from __future__ import annotations

ONE = """
[maildrop]
recipe = collective.recipe.maildrophost
"""


def test_an_unknown_option_suggests_the_nearest_and_lists_all(room):
    error = room.refused(ONE + "smpt-host = relay.example.org\n")
    assert error.startswith(
        "[maildrop] smpt-host: there is no such option; did you mean smtp-host?"
    )
    assert "retry-max" in error


def test_a_full_name_suggests_the_short_one(room):
    error = room.refused(ONE + "MAILDROP_PASSWORD = canary\n")
    assert "did you mean password?" in error
    assert "canary" not in error


def test_a_wrong_value_names_option_and_section(room):
    error = room.refused(ONE + "tls = 4\n")
    assert error == "[maildrop] tls: expected a whole number from 0 to 3."


def test_an_error_in_the_section_of_a_daemon_names_that_section(room):
    error = room.refused(ONE + "daemons = main\n\n[main]\ntls = starttls\n")
    assert error == "[main] tls: expected a whole number from 0 to 3."


def test_an_option_of_the_part_is_none_of_a_daemon(room):
    error = room.refused(ONE + "daemons = main\n\n[main]\neggs = Markdown\n")
    assert error.startswith("[main] eggs: there is no such option")


def test_an_option_in_both_spellings_is_refused(room):
    error = room.refused(ONE + "smtp-host = one\nsmtp_host = two\n")
    assert error.endswith("smtp-host is set twice.")


def test_a_refused_option_leaves_nothing_behind(room):
    room.refused(ONE + "tls = 4\n")
    assert not (room / "var").exists()
    assert not (room / "parts/maildrop").exists()

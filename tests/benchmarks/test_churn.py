"""The stream through PostgreSQL goes to its end, slice by slice."""

from __future__ import annotations

import pytest

from benchmarks import churn
from benchmarks.__main__ import main

MESSAGES = churn.LEAST_MESSAGES


@pytest.mark.parametrize("words", [["5"], ["399"], ["many"], [], ["400", "400"]])
def test_too_few_messages_for_a_figure_are_wrong_usage(words, capsys):
    assert main(["churn", *words]) == 2
    assert "400 messages at least" in capsys.readouterr().err


def test_every_message_of_the_stream_is_settled():
    slices = list(churn.measure_churn(MESSAGES))
    assert [each.messages for each in slices] == list(range(40, MESSAGES + 1, 40))
    assert all(each.rate > 0 and each.median > 0 for each in slices)

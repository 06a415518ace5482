"""Whose form it is, by what the browser and the proxies in front say."""

from __future__ import annotations

from io import BytesIO

import pytest
from zExceptions import Forbidden
from ZPublisher.HTTPRequest import HTTPRequest

from collective.maildrophost.samesite import check_same_site

FORWARDED = ["www.example.org", "www.example.org:8443, inner:8080", "www:many", ","]


def form_from(origin, forwarded_host):
    environ = {
        "REQUEST_METHOD": "POST",
        "SERVER_NAME": "inner",
        "SERVER_PORT": "8080",
        "HTTP_HOST": "inner:8080",
        "HTTP_ORIGIN": origin,
        "HTTP_X_FORWARDED_HOST": forwarded_host,
    }
    return HTTPRequest(BytesIO(), environ, None)


@pytest.mark.parametrize("forwarded_host", FORWARDED)
@pytest.mark.parametrize("origin", ["null", "https://evil.example.org", "https://["])
def test_a_page_of_another_site_or_of_none_is_refused(origin, forwarded_host):
    with pytest.raises(Forbidden):
        check_same_site(form_from(origin, forwarded_host))


@pytest.mark.parametrize(
    ("origin", "forwarded_host"),
    [
        ("http://inner:8080", ""),
        ("https://www.example.org", "www.example.org"),
        ("https://www.example.org:8443", "www.example.org:8443, inner:8080"),
    ],
)
def test_a_page_of_this_site_is_taken_behind_any_number_of_proxies(
    origin, forwarded_host
):
    check_same_site(form_from(origin, forwarded_host))

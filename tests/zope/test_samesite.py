"""Whose form it is, by what the browser and the proxies in front say."""

from __future__ import annotations

from io import BytesIO

import pytest
from zExceptions import Forbidden
from ZPublisher.HTTPRequest import HTTPRequest

from collective.maildrophost.samesite import check_same_site

FORWARDED = ["www.example.org", "www.example.org:8443, inner:8080", "www:many", ","]


def form_from(origin, forwarded_host="", host="inner:8080"):
    environ = {
        "REQUEST_METHOD": "POST",
        "SERVER_NAME": "inner",
        "SERVER_PORT": "8080",
        "HTTP_HOST": host,
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


def as_virtual_host(form, name):
    """The form as posted to a path with /VirtualHostBase/http/NAME:80."""
    form.setServerURL("http", name, "80")
    return form


@pytest.mark.parametrize("host", ["zope.example.org:8080", "8.8.8.8:8080"])
def test_a_page_cannot_name_its_own_site_in_the_path_that_it_posts_to(host):
    form = form_from("http://evil.example.org", host=host)
    with pytest.raises(Forbidden):
        check_same_site(as_virtual_host(form, "evil.example.org"))


@pytest.mark.parametrize("host", ["plone", "10.0.0.5:8080", "127.0.0.1", "[::1]:80"])
def test_a_proxy_near_by_may_name_the_site_in_the_path_alone(host):
    """nginx sends the name of its upstream for Host, unless it is told otherwise."""
    form = form_from("http://www.example.org", host=host)
    check_same_site(as_virtual_host(form, "www.example.org"))

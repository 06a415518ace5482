"""A plain Zope (no Plone) with the package, on a free port it prints: DIRECTORY.

A second argument is how many seconds a log without a transaction is not believed.
"""

import importlib.abc
import sys
from pathlib import Path

ZOPE_CONF = """\
instancehome {instance}
debug-mode off
<zodb_db main>
  mount-point /
  <filestorage>
    path {instance}/Data.fs
  </filestorage>
</zodb_db>
<product-config maildrophost>
  config-path-main {instance}/main/main.conf
  config-path-broken {instance}/broken.conf
  config-path-missing {instance}/missing.conf
</product-config>
"""
SITE_ZCML = """\
<configure
    xmlns="http://namespaces.zope.org/zope"
    xmlns:meta="http://namespaces.zope.org/meta"
    xmlns:five="http://namespaces.zope.org/five">
  <include package="Products.Five" />
  <meta:redefinePermission from="zope2.Public" to="zope.Public" />
  <five:loadProducts file="meta.zcml" />
  <five:loadProducts />
  <include package="collective.maildrophost" />
</configure>
"""

PRODUCTS = {"Five", "MailHost", "OFSP", "PageTemplates", "SiteAccess"}
"""What Zope itself has, and what the package asks for."""


class NoPlone(importlib.abc.MetaPathFinder):
    """Hides Plone, which the tests' interpreter may have."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "plone" or name.startswith("Products.CMF"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def hide_plone():
    import OFS.Application

    found = OFS.Application.get_products()
    OFS.Application.get_products = lambda: [
        product for product in found if product[1] in PRODUCTS
    ]
    sys.meta_path.insert(0, NoPlone())


def main(directory, settle_seconds=None):
    hide_plone()
    if settle_seconds is not None:
        from collective.maildrophost.indoubt import doubt

        doubt.SETTLE_SECONDS = float(settle_seconds)
    import transaction
    import waitress
    import Zope2
    from Zope2.Startup.run import make_wsgi_app
    from ZPublisher.httpexceptions import HTTPExceptionHandler

    directory.joinpath("etc").mkdir(exist_ok=True)
    directory.joinpath("etc", "site.zcml").write_text(SITE_ZCML)
    zope_conf = directory / "zope.conf"
    zope_conf.write_text(ZOPE_CONF.format(instance=directory))
    application = HTTPExceptionHandler(make_wsgi_app({}, str(zope_conf)))
    root = Zope2.app()
    if root.acl_users.getUser("admin") is None:
        root.acl_users._doAddUser("admin", "admin", ["Manager"], [])
        transaction.commit()
    root._p_jar.close()
    server = waitress.create_server(application, host="127.0.0.1", port=0)
    print(server.effective_port, flush=True)
    server.run()


main(Path(sys.argv[1]), *sys.argv[2:])

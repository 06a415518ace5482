"""collective.recipe.maildrophost: mail daemons as parts of a buildout."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

HERE = Path(__file__).parent

setup(
    name="collective.recipe.maildrophost",
    version="1.0.0.dev0",
    description="Buildout recipe for the mail daemons of collective.maildrophost",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="ZPL-2.1",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Framework :: Buildout",
        "Framework :: Buildout :: Recipe",
        "Operating System :: POSIX",
        "Programming Language :: Python",
        "Programming Language :: Python :: 3 :: Only",
        "Topic :: Communications :: Email :: Mail Transport Agents",
    ],
    keywords="buildout recipe mail queue daemon Zope Plone",
    packages=find_namespace_packages("src", include=["collective.recipe.*"]),
    package_dir={"": "src"},
    package_data={"collective.recipe.maildrophost": ["*.in"]},
    zip_safe=False,
    python_requires=">=3.10",
    install_requires=[
        "collective.recipe.template>=3",
        "zc.buildout>=5",
        "zc.recipe.egg>=4",
    ],
    entry_points={
        "zc.buildout": ["default = collective.recipe.maildrophost:Recipe"],
        "zc.buildout.uninstall": [
            "default = collective.recipe.maildrophost:uninstall",
        ],
    },
)

"""The steps from one version of the default profile to the next.

One module for each version that needs a step, named by it (`v1001.py`), with one
function that takes the setup tool; configure.zcml registers it. The destination of the
last one is the version in profiles/default/metadata.xml.
"""

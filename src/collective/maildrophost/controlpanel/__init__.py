"""The control panel of Plone's Classic UI: one small module for each page."""

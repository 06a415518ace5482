"""What setuphandlers does to a Plone site: one MailHost for another, and back.

sitemailhost   which one the site has, as tool and as utility
toolsetsteps   the toolset's own idea of which one it has to be
mailsettings   what others look for in Plone's mail settings before they send
"""

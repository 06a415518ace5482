"""What setuphandlers does to a Plone site: one MailHost for another, and back.

swap           what is kept of it, and the way back
sitemailhost   which one the site has, as tool and as utility
toolsetsteps   the toolset's own idea of which one it has to be
leftmail       what the queue of the MailHost that was replaced has not sent
mailsettings   what others look for in Plone's mail settings before they send
"""

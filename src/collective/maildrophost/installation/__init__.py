"""What setuphandlers does to a Plone site: one MailHost for another, and back.

swap           what is kept of the exchange, and the way back
sitemailhost   which MailHost the site has, as tool and as utility
toolsetsteps   what toolset steps make of the site's MailHost
leftmail       what the queue of the MailHost that was replaced has not sent
mailsettings   what others look for in Plone's mail settings before they send
"""

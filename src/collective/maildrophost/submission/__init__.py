"""What a caller of MailHost means: envelope, headers, wishes, the message's octets.

envelope         who sends, and to whom, checked before MailHost repairs it
headers          the headers that a caller gives as text: each stays one
guarded          message objects whose headers stay one each as they are written
wishes           lane, time and `immediate`, kept while an add-on has the mail
munged           the message as MailHost would write it
flattening       message objects as octets
quotedprintable  texts as quoted-printable
asciidomains     domains beyond ASCII in headers
"""

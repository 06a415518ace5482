"""What a caller of MailHost means: the envelope, its wishes, the message's octets.

envelope       who sends, and to whom, checked before MailHost repairs it
wishes         lane and time
munged         the message as MailHost would write it
flattening     message objects as octets
asciidomains   domains beyond ASCII in headers
"""

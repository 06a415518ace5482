"""What a TLS handshake that fails means, in plain words."""

# Rules of this file:
# - OpenSSL names an alert of the peer (RFC 8446 section 6.2) and its own objection by
#   symbols, which stay the same while its words change from version to version.
# - The program has no certificate to show: whatever an alert of the relay's says of
#   certificates means that it wants one.

from __future__ import annotations

import ssl

IN_CLEAR = "the relay speaks in clear where TLS was to begin"
_CLOSED = "the relay closed the connection"
_NOTHING_IN_COMMON = (
    "the relay finds no way of TLS that it shares with this machine, or takes only "
    "clients with a certificate: its log tells; use another port or relay"
)
_CLIENT_CERTIFICATE = (
    "the relay takes only clients with a certificate of their own, which is not "
    "supported: use another port or relay"
)
_TOO_OLD = (
    "the relay does not agree to TLS 1.2 or later, which is required: update it, or "
    "use another relay"
)
_TOO_WEAK = (
    "the relay's TLS keys are too short for this machine: renew them, or use another "
    "relay"
)
_OTHER_NAME = (
    "the relay has no certificate for the name in SMTP_HOST: use one that it has"
)
_ITS_OWN_ERROR = "the relay met an error of its own in TLS: its log tells"

_MEANINGS = {
    # OpenSSL's word for anything that is no TLS, such as a greeting.
    "WRONG_VERSION_NUMBER": IN_CLEAR,
    "UNEXPECTED_EOF_WHILE_READING": _CLOSED,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": _NOTHING_IN_COMMON,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": _NOTHING_IN_COMMON,
    "TLSV1_ALERT_PROTOCOL_VERSION": _TOO_OLD,
    "UNSUPPORTED_PROTOCOL": _TOO_OLD,
    "DH_KEY_TOO_SMALL": _TOO_WEAK,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _CLIENT_CERTIFICATE,
    "TLSV1_ALERT_ACCESS_DENIED": _CLIENT_CERTIFICATE,
    "TLSV1_ALERT_UNKNOWN_CA": _CLIENT_CERTIFICATE,
    "SSLV3_ALERT_BAD_CERTIFICATE": _CLIENT_CERTIFICATE,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": _CLIENT_CERTIFICATE,
    "TLSV1_UNRECOGNIZED_NAME": _OTHER_NAME,
    "TLSV1_ALERT_INTERNAL_ERROR": _ITS_OWN_ERROR,
}


def meaning(error: BaseException) -> str:
    """What an error of TLS means; "" for any other, and where only OpenSSL can tell."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the relay's certificate does not verify: {error.verify_message}"
    if isinstance(error, ssl.SSLZeroReturnError):
        # A goodbye of TLS; before Python 3.11.4 any end of the connection, too.
        return _CLOSED
    return _MEANINGS.get(getattr(error, "reason", ""), "")

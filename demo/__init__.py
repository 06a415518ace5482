"""The way of one mail, shown with real parts: page, queue, daemon, SMTP server."""

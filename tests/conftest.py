"""What holds for every test."""

import signal

# A test run in the background of a script is started with Ctrl-C ignored, and whatever
# it starts inherits that; the programs under test are to be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

"""What the operating system has: processes, files, locks, signals, waiting."""

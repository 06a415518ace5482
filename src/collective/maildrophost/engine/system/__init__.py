"""What the operating system provides: processes, files, locks, signals, waiting."""

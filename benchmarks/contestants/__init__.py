"""Who delivers mail beside each other, one module each."""

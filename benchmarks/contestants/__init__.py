"""The contestants that deliver mail, one module each."""

"""Batches whose transaction was cut off are decided by ZODB's own log.

transaction/       at the vote: which databases take part, where their logs end now
storagelog         what these logs tell of it later
endings            what this process itself still knows
decision           released, deleted, or left to a person
doubt              what is remembered of a batch between two looks
resolver           looks at the start of Zope, and then every so often
"""

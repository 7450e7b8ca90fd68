"""Floor 4: the local cloud. One process on loopback that behaves like the parts of AWS that a
failover needs.
"""

"""DNS on the local cloud: an authoritative name server, a recursive resolver, and the parents of
the zones.
"""

"""Floor 4: the local cloud. One process on loopback that behaves like AWS in a failover."""

"""What a failover or a failback shows: its progress, and how it ended."""

"""Floor 3: real time, real DNS queries and real HTTPS requests."""

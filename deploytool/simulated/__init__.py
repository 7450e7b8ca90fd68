"""Floor 3: the ports on a virtual clock, without a socket. A whole drill takes milliseconds."""

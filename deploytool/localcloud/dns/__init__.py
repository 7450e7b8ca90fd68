"""DNS on the local cloud: a name server, a recursive resolver, and the parents of the zones.

Each server has three layers: message to message, bytes to bytes (`wire`), and sockets (`server`).
"""

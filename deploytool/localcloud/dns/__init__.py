"""DNS on the local cloud: an authoritative name server, a recursive resolver, and the zones' parents.

Each server has three layers: message to message, bytes to bytes (`wire`), and sockets (`server`).
"""

"""Floor 3: the ports on a virtual clock, without a socket: a world in which a whole drill takes
milliseconds.
"""

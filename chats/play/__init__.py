"""Robots: agents that answer and customers that ask, over the same sockets and REST calls as everybody else.

They import nothing of the product but the seats' models: what they know of a chat, they were told on the wire.
"""

"""Foreign chat APIs, spoken unchanged. Each folder has the same parts: a door (transport, proof, errors), what comes in (their word → our
action) and what goes out (our event → their words). No protocol imports another.
"""

"""Python's search for cyclic garbage: left alone it takes a fifth of the run, walking through all modules and tests again and again.

It rests until all tests are collected. What stands then is left out of it for good, as contactcenter.server does with what stands
at start; what tests leave is searched for less often.
"""

import gc

gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # Python's own: 700, 10, 10
    gc.enable()

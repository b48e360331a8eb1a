"""From the start of a server's process, on a database that is there, until it answers everything."""

from bench.site import Site
from bench.sums import Row, medians

name = "start-up"
STARTS = 3


def measure(site: Site) -> dict[str, Row]:
    return {"server": medians([_start(site) for _ in range(STARTS)])}


def _start(site: Site) -> Row:
    took = site.restart()
    return {"seconds": took, "CPU seconds": site.web.cpu(), "MB": site.web.memory() / 1024}

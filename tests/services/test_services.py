"""Several processes on PostgreSQL and Redis: chats across two servers, and nothing lost when one of them and Redis die."""

import json
import os
import time

import pytest

from tests.services.stack import Stack

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.slow]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("services"), os.environ["DATABASE_URL"])
    try:
        yield stack.start()
    finally:
        stack.stop()


@pytest.fixture
def robots(stack):
    """Three robot agents, who talk to the first server and go to the second when it is away."""
    arguments = [argument for url in stack.urls for argument in ("--url", url)]
    robots = stack.begin("robots", "play", "agents", "--count", "3", "--capacity", "4", *arguments)
    yield robots
    stack.kill("robots")


def test_customers_of_one_server_chat_with_agents_of_the_other(stack, robots):
    said = stack.manage("play", "customers", "--url", stack.urls[1], "--count", "4", "--rate", "4", "--json")
    summary = json.loads(said)
    assert summary["clean"], summary
    assert summary["messages"]["echoed"] == 20


def test_a_killed_server_and_an_emptied_redis_lose_nothing(stack, robots):
    """Ten customers, three robot agents, about a minute; a server and Redis are killed in the middle."""
    arguments = [argument for url in stack.urls for argument in ("--url", url)]
    manner = ["--count", "10", "--rate", "1", "--messages", "20", "--pause", "2", "--patience", "90", "--json"]
    customers = stack.begin("customers", "play", "customers", *arguments, *manner)
    time.sleep(18)
    stack.kill("web-1")
    time.sleep(2)
    stack.kill("redis")
    time.sleep(2)
    stack.start_redis()
    stack.start_web("web-1")
    stack.wait_ready(stack.urls[0])
    code = customers.wait(150)
    stack.processes.pop("customers")
    summary = json.loads(stack.said("customers").strip().splitlines()[-1])
    print(f"\nservices with faults: {json.dumps(summary)}")
    assert code == 0, stack.said("customers")[-3000:]
    assert summary["faults"] == {"missing": 0, "doubled": 0, "out_of_order": 0, "gaps": 0, "refused": 0}
    assert summary["messages"]["sent"] == summary["messages"]["acknowledged"] == 10 * 21
    assert summary["messages"]["echoed"] == 10 * 20
    assert summary["reconnects"] >= 1

"""The processes that services' tests run on: those of the measurements."""

from bench import stack
from bench.stack import ROOT, free_port
from tests.migrated import POSTGRES

__all__ = ["ROOT", "Stack", "free_port"]


class Stack(stack.Stack):
    template = POSTGRES or stack.Stack.template

"""The processes that services' tests run on: those of the measurements."""

from bench.stack import ROOT, Stack, free_port

__all__ = ["ROOT", "Stack", "free_port"]

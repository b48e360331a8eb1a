"""Carriers: the channels whose networks we speak ourselves. A folder each: its settings, what comes in, how a message is sent.

provider.py   what every carrier is, and what a message on its way looks like to it
registry.py   which there are: provider → carrier
filing.py     within the transaction of an event: a row for each message that is to travel
dispatches.py the outbox's book of them: what sending needs is loaded, what became of it is noted
fates.py      what a network tells later: delivered, read, lost
urls.py       where networks call us

In: a carrier verifies what arrived and hands it to actions.receive. Out: a row (models.Dispatch), sent by the outbox's threads.
"""

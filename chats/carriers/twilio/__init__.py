"""SMS and MMS by Twilio's API, or by who speaks it.

carrier.py    its settings, how a message is sent, whether the account is known
numbers.py    phone numbers in their one spelling
words.py      tables: their statuses, their errors, the words by which people stop and start
hooks.py      where the network calls us: messages, statuses
consent.py    STOP and START
"""

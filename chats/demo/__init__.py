"""A believable morning: two centers with their teams, agents and ended chats, to look at and to try."""

"""The websockets of customers and agents: frame to action, event to frame. The protocol is docs/realtime.md."""

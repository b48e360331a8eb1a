"""What the floors above hear from this one."""

from django.dispatch import Signal

# agent_id: UUID, now: datetime. Within the transaction that changed a status, a lease or the slots of a seat.
availability_changed = Signal()

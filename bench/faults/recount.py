"""What is kept beside the rows that it counts, counted anew (I25). Each statement finds what differs; one statement sees one moment."""

# The owner's cursor says what is unread; where nobody has read yet, everything is.
UNREAD = """
SELECT c.id, 'unread' AS what FROM chats_chat c WHERE c.state = 'active' AND c.unread <> (
  SELECT count(*) FROM chats_event e WHERE e.chat_id = c.id AND e.type = 'message.posted' AND e.sender_kind = 'customer'
  AND e."index" > coalesce((SELECT max(p.read_index) FROM chats_participant p WHERE p.chat_id = c.id AND p.agent_id = c.agent_id), 0))
AND NOT EXISTS (SELECT 1 FROM chats_participant q WHERE q.chat_id = c.id AND q.agent_id IS NOT NULL AND q.agent_id <> c.agent_id AND q.read_index > 0)"""
SLOTS = """
SELECT a.id, 'slots' AS what FROM agents_agent a
WHERE a.capacity <> (SELECT count(*) FROM agents_slot s WHERE s.agent_id = a.id AND NOT s.is_retired)"""
HELD = """
SELECT c.id, 'owner' AS what FROM chats_chat c LEFT JOIN chats_occupation o ON o.chat_id = c.id
WHERE (c.state <> 'closed' OR o.id IS NOT NULL) AND ((c.state = 'active') <> (o.id IS NOT NULL AND o.invitation_id IS NULL) OR (c.state = 'active' AND o.agent_id <> c.agent_id))"""
OFFERED = """
SELECT i.id, 'offer' AS what FROM chats_invitation i LEFT JOIN chats_occupation o ON o.invitation_id = i.id
WHERE (i.state = 'pending') <> (o.id IS NOT NULL) OR o.chat_id <> i.chat_id OR o.agent_id <> i.agent_id"""
IDLE = """
SELECT p.agent_id AS id, 'idle_since' AS what FROM agents_presence p WHERE p.idle_since IS NOT NULL
AND EXISTS (SELECT 1 FROM chats_occupation o WHERE o.agent_id = p.agent_id AND o.invitation_id IS NULL)"""
HEADS = """
SELECT q.chat_id AS id, 'cursor' AS what FROM chats_participant q JOIN chats_chat c ON c.id = q.chat_id
WHERE q.read_index > c."index" OR q.delivered_index > c."index" OR q.read_index > q.delivered_index"""

ALWAYS = (UNREAD, SLOTS, HELD, IDLE)  # cheap: of what is open
AT_THE_END = (*ALWAYS, OFFERED, HEADS)

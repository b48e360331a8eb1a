"""The addresses of docs/api.md, below /api/v1/."""

from django.urls import path

from . import (
    agents,
    chats,
    customers,
    desk,
    docs,
    events,
    files,
    invitations,
    messages,
    moves,
    pictures,
    reports,
    teams,
    transcripts,
    widget,
)

app_name = "api"

urlpatterns = [
    path("schema/", docs.Schema.as_view(), name="schema"),
    path("docs/", docs.Docs.as_view(url_name="api:schema"), name="docs"),
    # Customers
    path("widget/config", widget.Config.as_view(), name="widget-config"),
    path("widget/sessions", widget.Sessions.as_view(), name="widget-sessions"),
    path("widget/offline-messages", widget.OfflineMessages.as_view(), name="widget-offline-messages"),
    path("pictures/centers/<uuid:row_id>", pictures.Logo.as_view(), name="logo"),
    # Chats
    path("chats", chats.Chats.as_view(), name="chats"),
    path("chats/<uuid:chat_id>", chats.OneChat.as_view(), name="chat"),
    path("chats/<uuid:chat_id>/events", events.Events.as_view(), name="chat-events"),
    path("chats/<uuid:chat_id>/messages", messages.Messages.as_view(), name="chat-messages"),
    path("chats/<uuid:chat_id>/typing", messages.Typing.as_view(), name="chat-typing"),
    path("chats/<uuid:chat_id>/read", messages.ReadUpTo.as_view(), name="chat-read"),
    path("chats/<uuid:chat_id>/close", moves.Close.as_view(), name="chat-close"),
    path("chats/<uuid:chat_id>/search", moves.Search.as_view(), name="chat-search"),
    path("chats/<uuid:chat_id>/survey", moves.Survey.as_view(), name="chat-survey"),
    path("chats/<uuid:chat_id>/pick", moves.Pick.as_view(), name="chat-pick"),
    path("chats/<uuid:chat_id>/assign", moves.Assign.as_view(), name="chat-assign"),
    path("chats/<uuid:chat_id>/transfer", moves.Transfer.as_view(), name="chat-transfer"),
    path("chats/<uuid:chat_id>/reopen", moves.Reopen.as_view(), name="chat-reopen"),
    path("chats/<uuid:chat_id>/decisions", chats.Decisions.as_view(), name="chat-decisions"),
    path("chats/<uuid:chat_id>/transcript", transcripts.Transcript.as_view(), name="chat-transcript"),
    path("attachments", files.Attachments.as_view(), name="attachments"),
    path("attachments/<uuid:attachment_id>", files.OneAttachment.as_view(), name="attachment"),
    # Agents
    path("agent/ticket", agents.Ticket.as_view(), name="agent-ticket"),
    path("me", agents.Me.as_view(), name="me"),
    path("me/status", agents.Status.as_view(), name="me-status"),
    path("invitations", invitations.Invitations.as_view(), name="invitations"),
    path("invitations/<uuid:invitation_id>/accept", invitations.Accept.as_view(), name="invitation-accept"),
    path("invitations/<uuid:invitation_id>/decline", invitations.Decline.as_view(), name="invitation-decline"),
    path("agents", agents.Agents.as_view(), name="agents"),
    path("agents/<uuid:agent_id>", agents.OneAgent.as_view(), name="agent"),
    # The center
    path("teams", teams.Teams.as_view(), name="teams"),
    path("teams/<uuid:team_id>", teams.OneTeam.as_view(), name="team"),
    path("channels", teams.Channels.as_view(), name="channels"),
    path("channels/<uuid:channel_id>", teams.OneChannel.as_view(), name="channel"),
    path("queue", teams.Queue.as_view(), name="queue"),
    path("customers", customers.Customers.as_view(), name="customers"),
    path("customers/<uuid:customer_id>", customers.OneCustomer.as_view(), name="customer"),
    path("customers/<uuid:customer_id>/chats", customers.ChatsOfCustomer.as_view(), name="customer-chats"),
    path("customers/<uuid:customer_id>/block", customers.Block.as_view(), name="customer-block"),
    path("customers/<uuid:customer_id>/unblock", customers.Unblock.as_view(), name="customer-unblock"),
    path("customers/<uuid:customer_id>/merge", customers.Merge.as_view(), name="customer-merge"),
    path("canned-replies", desk.CannedReplies.as_view(), name="canned-replies"),
    path("dispositions", desk.Dispositions.as_view(), name="dispositions"),
    path("offline-messages", desk.Offline.as_view(), name="offline-messages"),
    path("offline-messages/<uuid:message_id>/handle", desk.Handle.as_view(), name="offline-message-handle"),
    path("reports/summary", reports.Summary.as_view(), name="reports-summary"),
]

"""The Chat API (Comapi, dotdigital): chats, their messages and teams for programs, and App Messaging for customers' apps.

apispaces/{apiSpaceId}/…   Bearer: the space's access token, or the token of an app's session
cpaas/…                    HTTP Basic: the space's user name and password

callers.py says who asks, door.py how answers and refusals look, spaces.py which chats an API space sees, lines.py how their events are
numbered, names.py and shapes.py how our rows are called and look there. Each service has a file with its ROUTES.
docs/protocols/comapi.md
"""

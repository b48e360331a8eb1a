"""REST v1: the contract is docs/api.md.

principals  who calls, proven by token, key, application password or session
scope       what that caller may reach; every id from outside is looked up there
door        the base of all views: callers, errors, CORS, rate limits
One module a resource: read, one domain call, render (chats.shapes).
"""

"""The admin's foundations: two sites, and the base class by which a center's admin reaches that center alone.

What is registered stands in contactcenter/admin, agents/admin.py and chats/admin.
"""

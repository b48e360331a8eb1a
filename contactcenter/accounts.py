"""Sign-in rules of this installation, as allauth asks for them."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Nobody makes an account for themselves: an operator or a center's admin gives seats."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

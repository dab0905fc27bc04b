"""What the server asks about a request: whose is it?"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from chappe.model.errors import InvalidConfiguration
from chappe.security.canonical import Fields, Headers
from chappe.security.errors import InvalidApiKey, MissingAuthenticationToken, UnknownAccessKey
from chappe.security.keys import RECHECK_SECONDS, KeyStore
from chappe.security.principal import DEFAULT_ACCOUNT, DEFAULT_REGION, ApiClient, Principal
from chappe.security.signature_claims import credential_scope
from chappe.security.sigv4 import SignatureVerifier

_log = structlog.get_logger("chappe.security")
_OPEN_CLIENT = ApiClient(key_id="open", name="open mode")


class Authenticator:
    """Checks credentials against a key store. What another process makes counts at once, what it revokes within a
    second: a key that is not known is looked for again in the file.

    In open mode every request passes, with or without credentials. The region is still taken from the
    credential scope, and an access key id of twelve digits names the account, as is the custom among local
    AWS endpoints.
    """

    def __init__(
        self,
        keys: KeyStore,
        clock_ms: Callable[[], int],
        *,
        open_mode: bool = False,
        account: str = DEFAULT_ACCOUNT,
        recheck_seconds: float = RECHECK_SECONDS,
    ) -> None:
        self.open_mode = open_mode
        self._keys = keys
        self._verifier = SignatureVerifier(keys, clock_ms)
        self._account = account
        self._recheck_seconds = recheck_seconds
        self._strangers: dict[tuple[str, str], Principal] = {}

    def authenticate_aws(
        self, method: bytes, path: bytes, query: bytes, headers: Headers, fields: Fields, body: bytes, service: str
    ) -> Principal:
        """Who signed this request. Raises a subclass of `Unauthenticated` (see `security.errors`)."""
        if self.open_mode:
            return self._claimed(query, fields, service)
        self._refresh(self._recheck_seconds)
        try:
            return self._verifier.verify(method, path, query, headers, fields, body, service)
        except UnknownAccessKey:
            if not self._refresh(0.0):
                raise
        return self._verifier.verify(method, path, query, headers, fields, body, service)

    def authenticate_bearer(self, token: str | None) -> ApiClient:
        """Whose API key this is; `token` is what follows `Bearer ` in the Authorization header, None if
        absent.
        """
        if self.open_mode:
            return _OPEN_CLIENT
        if not token:
            raise MissingAuthenticationToken(
                "this needs an API key: send the header `Authorization: Bearer chp_...` "
                "(`chappe keys create` makes one)"
            )
        self._refresh(self._recheck_seconds)
        client = self._keys.api_client(token)
        if client is None and self._refresh(0.0):
            client = self._keys.api_client(token)
        if client is None:
            raise InvalidApiKey("the bearer token is not an API key of this server, or it was revoked")
        return client

    def _refresh(self, recheck_seconds: float) -> bool:
        """Whether there is anything new."""
        generation = self._keys.generation
        try:
            self._keys.refresh(recheck_seconds=recheck_seconds)
        except InvalidConfiguration as error:
            _log.warning("keys_not_reloaded", reason=error.message)
        return self._keys.generation != generation

    def _claimed(self, query: bytes, fields: Fields, service: str) -> Principal:
        scope = credential_scope(query, fields)
        if scope is None:
            return self._stranger("open", DEFAULT_REGION, service)
        return self._stranger(scope.access_key_id, scope.region, service)

    def _stranger(self, key_id: str, region: str, service: str) -> Principal:
        known = self._strangers.get((key_id, region))
        if known is not None and known.service == service:
            return known
        account = key_id if len(key_id) == 12 and key_id.isdigit() else self._account
        principal = Principal(key_id[:128], account, region[:64], service, any_account=True)
        if len(self._strangers) >= 1024:
            self._strangers.clear()
        self._strangers[key_id, region] = principal
        return principal

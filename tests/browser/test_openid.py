"""The OpenID provider of the tests signs a person in by its own form, with a code and PKCE; it refuses what it must."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet
from playwright.sync_api import Page

from tests.browser.conftest import StartProvider
from tests.browser.openid import AUDITOR, OFFICER, Provider, sign_in
from tests.browser.site import render, served

pytestmark = pytest.mark.drill

VERIFIER = "synthetic-verifier-of-forty-three-characters-or-more"


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served({"/signed-in": render("<h1>Answered</h1>")}) as address:
        yield address


@pytest.fixture
def provider(start_provider: StartProvider, site: str) -> Provider:
    return start_provider(f"{site}/signed-in")


def client(provider: Provider, site: str) -> OAuth2Client:
    return OAuth2Client(
        provider.client_id,
        provider.client_secret,
        scope="openid profile email",
        redirect_uri=f"{site}/signed-in",
        code_challenge_method="S256",
        trust_env=False,
    )


def authorization(session: OAuth2Client, provider: Provider, **parameters: str) -> str:
    endpoint = httpx2.get(provider.discovery, trust_env=False).json()["authorization_endpoint"]
    return session.create_authorization_url(endpoint, code_verifier=VERIFIER, nonce="synthetic", **parameters)[0]


def test_an_officer_signs_in_and_the_id_token_says_who_it_is(page: Page, provider: Provider, site: str):
    metadata = httpx2.get(provider.discovery, trust_env=False).json()
    assert metadata["issuer"] == provider.issuer
    with client(provider, site) as session:
        page.goto(authorization(session, provider))
        sign_in(page, OFFICER)
        page.wait_for_url(f"{site}/signed-in?**")
        tokens = session.fetch_token(
            metadata["token_endpoint"], authorization_response=page.url, code_verifier=VERIFIER
        )
        keys = KeySet.import_key_set(httpx2.get(metadata["jwks_uri"], trust_env=False).json())
        claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
        assert (claims["sub"], claims["iss"], claims["nonce"]) == ("officer", provider.issuer, "synthetic")
        assert claims["aud"] == ["web"]
        person = session.get(metadata["userinfo_endpoint"]).json()
        assert person["name"] == "Synthetic Officer"
        with pytest.raises(OAuthError):  # a code counts once
            session.fetch_token(metadata["token_endpoint"], authorization_response=page.url, code_verifier=VERIFIER)


def test_a_code_without_its_verifier_counts_nothing(page: Page, provider: Provider, site: str):
    metadata = httpx2.get(provider.discovery, trust_env=False).json()
    with client(provider, site) as session:
        page.goto(authorization(session, provider))
        sign_in(page, AUDITOR)
        page.wait_for_url(f"{site}/signed-in?**")
        with pytest.raises(OAuthError):
            session.fetch_token(metadata["token_endpoint"], authorization_response=page.url, code_verifier="x" * 50)


def test_a_wrong_password_is_refused_on_the_form(page: Page, provider: Provider, site: str):
    with client(provider, site) as session:
        page.goto(authorization(session, provider))
    sign_in(page, OFFICER, "another")
    page.get_by_text("username or password wrong").wait_for()


def test_an_answer_goes_nowhere_but_to_the_client(page: Page, provider: Provider, site: str):
    with client(provider, site) as session:
        session.redirect_uri = "http://127.0.0.1:9/elsewhere"
        answer = page.goto(authorization(session, provider))
    assert answer is not None
    assert answer.status == 400

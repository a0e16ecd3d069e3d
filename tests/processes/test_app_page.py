"""The web page in a real browser: list, fill, check out, and show the release."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support.app_http import ask
from tests.support.app_servers import Shop, program, shop

pytestmark = [pytest.mark.timeout(120)]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    own = {"SHOP_COLOUR": "green", "SHOP_RELEASE": "0123456789ab"}
    with shop(tmp_path_factory.mktemp("page"), **own) as running:
        yield running


@pytest.fixture
def page(server: Shop) -> Iterator[Page]:
    """An open page; an error in the browser fails the test."""
    ask(f"{server.url}/data", {"id": 1, "name": "Samsung TV", "price": 140})
    ask(f"{server.url}/data", {"id": 2, "name": "<b>Lamp</b>", "price": "19.99"})
    failures: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        opened = browser.new_page()
        opened.on("pageerror", lambda error: failures.append(str(error)))
        opened.goto(server.url)
        yield opened
        browser.close()
    assert failures == []


def test_it_says_which_release_and_colour_answered(page: Page) -> None:
    expect(page.locator("#colour")).to_have_text("green")
    expect(page.locator("#commit")).to_have_text("0123456789ab")


def test_a_shopper_fills_a_cart_and_checks_out(page: Page, server: Shop) -> None:
    before = set(ask(f"{server.url}/carts").json())
    page.get_by_role("button", name="Add Samsung TV").click()
    page.get_by_role("button", name="Add <b>Lamp</b>").click()
    expect(page.locator("#total")).to_have_text("159.99")
    page.get_by_role("button", name="Add <b>Lamp</b>").click()
    expect(page.locator("#total")).to_have_text("179.98")
    assert len(set(ask(f"{server.url}/carts").json()) - before) == 1
    page.get_by_role("button", name="Remove Samsung TV").click()
    expect(page.locator("#total")).to_have_text("39.98")
    page.get_by_role("button", name="Check out").click()
    expect(page.locator("#message")).to_contain_text("Your order is")
    expect(page.locator("#total")).to_have_text("0.00")
    assert set(ask(f"{server.url}/carts").json()) == before


SLOW = """() => {
  const answer = window.fetch;
  window.fetch = async (...asked) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return answer(...asked);
  };
}"""


def test_clicks_that_are_faster_than_the_shop_all_count(page: Page, server: Shop) -> None:
    before = set(ask(f"{server.url}/carts").json())
    page.evaluate(SLOW)
    page.get_by_role("button", name="Add Samsung TV").click()
    page.get_by_role("button", name="Add <b>Lamp</b>").click()
    page.get_by_role("button", name="Add <b>Lamp</b>").click()
    expect(page.locator("#total")).to_have_text("179.98")
    page.get_by_role("button", name="Add Samsung TV").click()
    page.get_by_role("button", name="Remove <b>Lamp</b>").click()
    expect(page.locator("#total")).to_have_text("280.00")
    assert len(set(ask(f"{server.url}/carts").json()) - before) == 1


def test_names_are_text_and_not_markup(page: Page) -> None:
    expect(page.get_by_text("<b>Lamp</b>", exact=True)).to_be_visible()
    assert page.locator("#products b").count() == 0


def test_a_new_product_is_listed(page: Page) -> None:
    page.get_by_label("Number").fill("3")
    page.get_by_label("Name").fill("Kettle")
    page.get_by_label("Price").fill("25.50")
    page.get_by_role("button", name="Store").click()
    expect(page.get_by_role("button", name="Add Kettle")).to_be_visible()


def test_a_problem_is_shown(page: Page) -> None:
    page.get_by_label("Number").fill("4")
    page.get_by_label("Name").fill("Gold")
    page.get_by_label("Price").fill("99999999")
    page.get_by_role("button", name="Store").click()
    expect(page.locator("#message")).to_contain_text("price: Expected an amount")


def test_it_runs_under_its_own_content_policy(page: Page, server: Shop) -> None:
    assert "Content-Security-Policy" in {name.title() for name in ask(server.url + "/").headers}
    expect(page.locator("header")).to_have_css("border-bottom-color", "rgb(26, 127, 55)")

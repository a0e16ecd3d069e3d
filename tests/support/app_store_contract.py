"""The contract of a store; unit tests run it on SQLite, process tests on PostgreSQL."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.store.base import (
    CartCheckedOutError,
    Content,
    EmptyCartError,
    Order,
    Store,
    Totals,
    UnknownCartError,
)

ITEMS = Content('[{"description":"Zo\u00eb\'s \\"lamp\\"","qty":1,"unitPrice":19.99}]', 1, 1999)
MORE = Content('[{"description":"x","qty":2,"unitPrice":0.05}]', 1, 10)
EMPTY = Content("[]", 0, 0)
MOST = 999_999_999_999  # the maximum of NUMERIC(12,2)


def new_id() -> str:
    return str(uuid.uuid4())


NOTHING = "00000000-0000-0000-0000-000000000000"


def ids(store: Store) -> list[str]:
    return store.cart_ids(NOTHING, 1_000)


class StoreContract:
    """Subclasses define the fixtures ``store`` (empty) and ``again`` (opens the same store)."""

    def cart(self, store: Store, content: Content = ITEMS) -> str:
        cart_id = new_id()
        store.add_cart(cart_id, content)
        return cart_id

    def test_carts_are_listed_and_summed(self, store: Store) -> None:
        carts = {self.cart(store), self.cart(store, MORE), self.cart(store, EMPTY)}
        assert set(ids(store)) == carts
        assert store.totals() == Totals(3, 1999 + 10)

    def test_nothing_sums_to_nothing(self, store: Store) -> None:
        store.check()
        assert store.totals() == Totals(0, 0)
        assert ids(store) == []

    def test_the_largest_total_is_exact(self, store: Store) -> None:
        cart = self.cart(store, Content("[1]", 1, MOST))
        assert store.check_out(new_id(), cart, None, None).total == MOST

    def test_adding_twice_is_adding_once(self, store: Store) -> None:
        cart = self.cart(store)
        store.add_cart(cart, ITEMS)
        assert ids(store) == [cart]

    def test_replacing_replaces(self, store: Store) -> None:
        cart = self.cart(store)
        store.replace_cart(cart, MORE)
        assert store.totals() == Totals(1, 10)

    def test_replacing_an_unknown_cart(self, store: Store) -> None:
        with pytest.raises(UnknownCartError):
            store.replace_cart(new_id(), ITEMS)
        assert ids(store) == []

    def test_replacing_a_checked_out_cart(self, store: Store) -> None:
        cart = self.cart(store)
        store.check_out(new_id(), cart, None, None)
        with pytest.raises(CartCheckedOutError):
            store.replace_cart(cart, ITEMS)

    def test_checkout_happens_once(self, store: Store) -> None:
        cart, order = self.cart(store), new_id()
        first = store.check_out(order, cart, None, None)
        assert first == Order(order, cart, 1999, created=True)
        again = store.check_out(new_id(), cart, None, MORE)
        assert again == Order(order, cart, 1999, created=False)
        assert ids(store) == []

    def test_checkout_orders_the_content_it_is_given(self, store: Store) -> None:
        assert store.check_out(new_id(), self.cart(store), None, MORE).total == 10

    @pytest.mark.parametrize("content", [None, EMPTY])
    def test_an_empty_cart_stays(self, store: Store, content: Content | None) -> None:
        cart = self.cart(store, EMPTY)
        with pytest.raises(EmptyCartError):
            store.check_out(new_id(), cart, None, content)
        assert ids(store) == [cart]

    def test_checking_out_an_unknown_cart(self, store: Store) -> None:
        with pytest.raises(UnknownCartError):
            store.check_out(new_id(), new_id(), "key", ITEMS)

    def test_a_key_is_its_carts_own(self, store: Store) -> None:
        """A client cannot block another client's checkout with a key."""
        first, second = self.cart(store), self.cart(store)
        order = store.check_out(new_id(), first, "key", None)
        assert store.check_out(new_id(), first, "key", None).id == order.id
        assert store.check_out(new_id(), second, "key", None).created
        with pytest.raises(UnknownCartError):
            store.check_out(new_id(), new_id(), "key", ITEMS)

    def test_another_key_gives_the_same_order(self, store: Store) -> None:
        cart = self.cart(store)
        order = store.check_out(new_id(), cart, "one", None)
        assert store.check_out(new_id(), cart, "two", None).id == order.id

    def test_many_checkouts_at_once_give_one_order(self, store: Store) -> None:
        carts = [self.cart(store) for _ in range(20)]
        barrier = threading.Barrier(8)

        def all_of_them(number: int) -> list[Order]:
            barrier.wait()
            key = f"key-{number}"
            return [store.check_out(new_id(), cart, f"{key}-{cart}", None) for cart in carts]

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(all_of_them, range(8)))
        for orders in zip(*answers, strict=True):
            assert len({order.id for order in orders}) == 1
            assert sum(order.created for order in orders) == 1
        assert store.totals() == Totals(0, 0)

    def test_one_key_for_two_carts_at_once_gives_two_orders(self, store: Store) -> None:
        for number in range(10):
            carts = [self.cart(store), self.cart(store)]
            with ThreadPoolExecutor(2) as pool:
                tried = [
                    pool.submit(store.check_out, new_id(), c, f"k{number}", None) for c in carts
                ]
            assert all(each.result().created for each in tried)
        assert store.totals().carts == 0

    def test_carts_are_listed_in_pages(self, store: Store) -> None:
        carts = sorted(self.cart(store) for _ in range(7))
        assert store.cart_ids(NOTHING, 3) == carts[:3]
        assert store.cart_ids(carts[2], 3) == carts[3:6]
        assert store.cart_ids(carts[6], 3) == []

    def test_only_idle_carts_expire_and_only_so_many(self, store: Store) -> None:
        carts = {self.cart(store) for _ in range(5)}
        assert store.expire(idle_seconds=60, limit=10) == 0
        assert store.expire(idle_seconds=-1, limit=3) == 3
        assert len(ids(store)) == 2
        assert set(ids(store)) < carts

    def test_products_are_stored_and_changed(self, store: Store) -> None:
        store.put_product(2, "Lamp", 1999)
        store.put_product(1, "Samsung TV", 14000)
        store.put_product(2, "Z\u00fcrich lamp", 2000)
        assert store.product(2) == ("Z\u00fcrich lamp", 2000)
        assert store.product(3) is None
        assert store.products(10) == [(1, "Samsung TV", 14000), (2, "Z\u00fcrich lamp", 2000)]
        assert store.products(1) == [(1, "Samsung TV", 14000)]

    def test_there_is_one_leader_until_it_is_gone(
        self, store: Store, again: Callable[[], Store]
    ) -> None:
        other = again()
        assert [store.lead(), store.lead(), other.lead()] == [True, True, False]
        store.close()
        assert other.lead()
        other.close()

    def test_starting_twice_at_once_migrates_once(self, again: Callable[[], Store]) -> None:
        stores = [again() for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda store: store.migrate(patience=10), stores))
        stores[0].check()
        for store in stores:
            store.close()

#include "actors/key_pool/ahead.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace std::chrono_literals;

namespace {

const time_point start = time_point{} + 1h;
const key_users users{"nfv-co", {"mano-gw-1"}};
const key_users others{"nfv-co", {"mano-gw-2"}};

key_assignment key(uint64_t n, const key_users& who = users, uint32_t size_bits = key_bits) {
  return {{make_key_id(link_id{"bob1/alice1"}, 1, link_end::bob, n)}, size_bits, {}, who};
}

} // namespace

TEST_CASE("who asks now and then gets nothing prepared") {
  ahead_stock stock;
  for (int i = 0; i < 100; ++i)
    CHECK(stock.ask(users, key_bits, 1, start + i * 100ms) == 0);
  CHECK_FALSE(stock.take(users, key_bits));
}

TEST_CASE("who asks a thousand times a second has 50 ms of it prepared, refilled from half") {
  ahead_stock stock;
  uint32_t prepared = 0, asked_for = 0;
  for (int i = 0; i < 5000; ++i) {
    auto now = start + i * 1ms;
    auto n = stock.ask(users, key_bits, 1, now);
    asked_for += n > 0 ? 1 : 0;
    for (; n > 0; --n)
      stock.put(key(prepared++), now);
    stock.take(users, key_bits);
  }
  CHECK(prepared > 4500);
  CHECK(asked_for < 500); // In batches.
  uint32_t left = 0;
  while (stock.take(users, key_bits))
    ++left;
  CHECK(left >= 20);
  CHECK(left <= 50);
}

TEST_CASE("what is on its way counts, and what failed is asked for again") {
  ahead_stock stock{{64, 1, 30s, 8}};
  CHECK(stock.ask(users, key_bits, 8, start) == 8);
  CHECK(stock.ask(users, key_bits, 1, start) == 0);
  for (int i = 0; i < 8; ++i)
    stock.failed(users, key_bits);
  CHECK(stock.ask(users, key_bits, 1, start) == 10);
}

TEST_CASE("the stock is bounded, per users and in users") {
  ahead_stock stock{{8, 10, 30s, 1}};
  CHECK(stock.ask(users, key_bits, 1, start) == 8);
  CHECK(stock.ask(others, key_bits, 1, start) == 0);
  ahead_stock none{{0, 10, 30s, 8}};
  CHECK(none.ask(users, key_bits, 1, start) == 0);
  ahead_stock many{{64, 10, 30s, 8}};
  CHECK(many.ask(users, key_bits, 9, start) == 0);
  CHECK(many.ask(users, key_bits, 8, start) == 64);
}

TEST_CASE("a prepared key goes to the users and size it was prepared for, oldest first") {
  ahead_stock stock{{8, 10, 30s, 8}};
  stock.ask(users, key_bits, 1, start);
  stock.ask(users, 512, 1, start);
  stock.put(key(1), start);
  stock.put(key(2), start);
  stock.put(key(3, users, 512), start);
  CHECK_FALSE(stock.take(others, key_bits));
  CHECK(counter_of(stock.take(users, 512)->parts.front()) == 3);
  CHECK(counter_of(stock.take(users, key_bits)->parts.front()) == 1);
  CHECK(counter_of(stock.take(users, key_bits)->parts.front()) == 2);
  CHECK_FALSE(stock.take(users, key_bits));
}

TEST_CASE("what nobody asks for is given up after its time") {
  ahead_stock stock{{8, 10, 30s, 8}};
  stock.ask(users, key_bits, 1, start);
  stock.put(key(1), start);
  stock.put(key(2), start + 10s);
  CHECK(stock.expire(start + 30s).empty());
  REQUIRE(stock.expire(start + 31s).size() == 1);
  REQUIRE(stock.expire(start + 41s).size() == 1);
  CHECK_FALSE(stock.take(users, key_bits));
}

#include "actors/orchestrator/order_book.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace std::chrono_literals;

namespace {

const time_point start = time_point{} + 1h;

image_record firewall() {
  image_record x;
  x.image = image_id{"firewall"};
  x.size_bytes = 1000;
  x.digest = std::string(64, 'a');
  return x;
}

} // namespace

TEST_CASE("an order goes through the paper's workflow and no other way") {
  // Rows: states; columns: no_key opened offered sent started failed cancelled.
  const char* table[order_state_count][order_event_count] = {
    {"waiting_for_key", "offering", "", "", "", "failed", "cancelled"},
    {"waiting_for_key", "offering", "", "", "", "failed", "cancelled"},
    {"", "", "streaming", "", "", "failed", "cancelled"},
    {"", "", "", "installing", "", "failed", "cancelled"},
    {"", "", "", "", "running", "failed", "cancelled"},
    {"", "", "", "", "", "", ""},
    {"", "", "", "", "", "", ""},
    {"", "", "", "", "", "", ""},
  };
  for (size_t s = 0; s < order_state_count; ++s)
    for (size_t e = 0; e < order_event_count; ++e) {
      auto to = next(static_cast<order_state>(s), static_cast<order_event>(e));
      INFO(to_string(static_cast<order_state>(s)) << " + " << to_string(static_cast<order_event>(e)));
      CHECK((to ? to_string(*to) : "") == table[s][e]);
    }
}

TEST_CASE("orders are numbered for ever, also after a restart") {
  order_book first{10};
  auto one = first.open(firewall(), site_id{"dc1"}, {}, "", start);
  auto two = first.open(firewall(), site_id{"dc1"}, {}, "", start);
  REQUIRE(two);
  CHECK(one->id.value == "order-1");
  CHECK(two->id.value == "order-2");
  order_book second{10};
  second.restore(first.list(start));
  CHECK(second.open(firewall(), site_id{"dc1"}, {}, "", start)->id.value == "order-3");
}

TEST_CASE("what was under way when the orchestrator stopped has failed") {
  order_book first{10};
  first.open(firewall(), site_id{"dc1"}, {}, "", start);
  auto ended = *first.open(firewall(), site_id{"dc1"}, {}, "", start);
  REQUIRE(first.apply(*first.find(ended.id), order_event::cancelled, start + 1s));
  order_book second{10};
  auto changed = second.restore(first.list(start));
  REQUIRE(changed.size() == 1);
  CHECK(changed[0].state == order_state::failed);
  CHECK(changed[0].code == ec::maybe_executed);
  CHECK_FALSE(changed[0].reason.empty());
  CHECK(second.find(ended.id)->state == order_state::cancelled);
}

TEST_CASE("a late event does not move an ended order") {
  order_book book{10};
  auto id = book.open(firewall(), site_id{"dc1"}, {}, "", start)->id;
  REQUIRE(book.apply(*book.find(id), order_event::failed, start + 3s));
  CHECK(book.find(id)->total_s == Approx(3));
  CHECK_FALSE(book.apply(*book.find(id), order_event::started, start + 9s));
  CHECK(book.find(id)->state == order_state::failed);
  CHECK(book.as_of(*book.find(id), start + 1h).total_s == Approx(3));
}

TEST_CASE("the book is bounded and forgets ended orders first") {
  order_book book{2};
  auto one = book.open(firewall(), site_id{"dc1"}, {}, "", start)->id;
  auto two = book.open(firewall(), site_id{"dc1"}, {}, "", start)->id;
  auto full = book.open(firewall(), site_id{"dc1"}, {}, "", start);
  REQUIRE_FALSE(full);
  CHECK(full.error().code == ec::busy);
  REQUIRE(book.apply(*book.find(one), order_event::failed, start));
  auto three = book.open(firewall(), site_id{"dc1"}, {}, "", start);
  REQUIRE(three);
  CHECK_FALSE(book.find(one));
  CHECK(book.find(two));
}

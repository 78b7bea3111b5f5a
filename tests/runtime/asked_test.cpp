#include "runtime/system/asked.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>

using namespace qnfv;

TEST_CASE("an open request is found by its number, once") {
  asked_table table;
  CHECK_FALSE(table.take(1));
  table.put(1, {{{}, event_id{"co", 1, 17}}, true});
  auto x = table.take(1);
  REQUIRE(x);
  CHECK(x->context.cause == event_id{"co", 1, 17});
  CHECK(x->recorded);
  CHECK_FALSE(table.take(1));
}

TEST_CASE("open requests are found whatever their numbers, and in whatever order they are answered") {
  std::mt19937 random{7};
  std::map<uint64_t, uint64_t> model;
  asked_table table;
  for (uint64_t step = 1; step <= 100'000; ++step) {
    // Numbers that share their last bits want the same slot.
    auto number = 1 + (random() % 40) * (random() % 2 == 0 ? 1 : 64);
    if (random() % 2 == 0) {
      table.put(number, {{{}, event_id{"co", 1, step}}, false});
      model[number] = step;
      continue;
    }
    auto known = model.find(number);
    auto found = table.take(number);
    REQUIRE(found.has_value() == (known != model.end()));
    if (found) {
      REQUIRE(found->context.cause.sequence == known->second);
      model.erase(known);
    }
  }
}

#include "actors/key_pool/key_runs.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>

using namespace qnfv;

namespace {

const link_id link{"bob1/alice1"};

key_id key(uint64_t counter, uint32_t session = 1, link_end allocator = link_end::bob) {
  return make_key_id(link, session, allocator, counter);
}

std::string text_of(const key_runs& x) {
  std::string out;
  for (auto& y : x.ranges())
    out += std::to_string(y.session) + to_string(y.allocator)[0] + std::to_string(y.first) + "+"
           + std::to_string(y.count) + " ";
  return out;
}

} // namespace

TEST_CASE("following keys are one run, and a key out of it makes two") {
  key_runs x;
  for (uint64_t n : {5, 7, 6, 4})
    x.add(key(n));
  CHECK(text_of(x) == "1b4+4 ");
  CHECK(x.length_from(key(5)) == 3);
  CHECK(x.length_from(key(3)) == 0);
  CHECK(x.length_from(key(8)) == 0);
  x.remove(key(5));
  CHECK(text_of(x) == "1b4+1 1b6+2 ");
  CHECK(x.length_from(key(5)) == 0);
  x.remove(key(4));
  x.remove(key(7));
  CHECK(text_of(x) == "1b6+1 ");
  x.remove(key(6));
  CHECK(text_of(x).empty());
}

TEST_CASE("runs end where a session or an allocating end does") {
  key_runs x;
  x.add(key(1));
  x.add(key(2, 1, link_end::alice));
  x.add(key(2, 2));
  CHECK(text_of(x) == "1b1+1 1a2+1 2b2+1 ");
}

TEST_CASE("what is there already, or is not there, changes nothing") {
  key_runs x;
  x.add(key(1));
  x.add(key(1));
  x.remove(key(2));
  x.remove(key(0));
  CHECK(text_of(x) == "1b1+1 ");
}

TEST_CASE("runs hold what a set of keys would") {
  std::mt19937 random{7};
  key_runs x;
  std::set<key_id> model;
  for (int i = 0; i < 20'000; ++i) {
    auto id = key(random() % 30, 1 + random() % 2,
                  random() % 2 == 0 ? link_end::bob : link_end::alice);
    if (random() % 2 == 0) {
      x.add(id);
      model.insert(id);
    } else {
      x.remove(id);
      model.erase(id);
    }
    std::set<key_id> held;
    for (auto& range : x.ranges()) {
      for (uint32_t n = 0; n < range.count; ++n)
        held.insert(range.id(link, n));
      // A run ends where the next key is missing.
      REQUIRE(model.count(range.id(link, range.count)) == 0);
      REQUIRE(x.length_from(range.id(link, 0)) == range.count);
    }
    REQUIRE(held == model);
  }
}

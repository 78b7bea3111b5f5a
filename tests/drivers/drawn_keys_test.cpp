#include "drivers/qkd_drawn/drawn_keys.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;

namespace {

drawn_key key(const std::string& name, uint8_t bits, size_t size = 32) {
  return {name, secret{bytes(size, bits)}};
}

std::vector<std::string> names_of(const std::vector<drawn_key>& keys) {
  std::vector<std::string> out;
  for (auto& x : keys)
    out.push_back(x.name);
  return out;
}

block_id block(uint32_t count) {
  return {link_id{"bob1/alice1"}, 1, link_end::bob, 100, count};
}

using names = std::vector<std::string>;
using positions = std::vector<uint32_t>;

} // namespace

TEST_CASE("a name of a key is short and printable") {
  for (auto* good : {"a", "6427c6cb-408c-5fb6-aa93-091a6eb3026a", "0000000100000007", "~!"})
    CHECK(good_key_name(good));
  for (auto& bad : {std::string{}, std::string(65, 'x'), std::string{"a b"}, std::string{"a\n"},
                    std::string{"\xc3\xa4"}, std::string{"a\0b", 3}})
    CHECK_FALSE(good_key_name(bad));
}

TEST_CASE("names are remembered up to a bound, the oldest is forgotten first") {
  name_memory x{2};
  CHECK(x.insert("a"));
  CHECK_FALSE(x.insert("a"));
  CHECK(x.insert("b"));
  CHECK(x.insert("c"));
  CHECK(x.insert("a"));
  CHECK_FALSE(x.insert("c"));
}

TEST_CASE("only fresh keys of 256 bits are taken, and no bits twice") {
  name_memory seen{100};
  std::vector<drawn_key> into;
  CHECK(take_fresh({key("a", 1), key("b", 2)}, into, 10, seen) == 0);
  CHECK(take_fresh({key("c", 1), key("d", 3, 16), key("", 4), key("e", 5)}, into, 10, seen) == 3);
  CHECK(names_of(into) == names{"a", "b", "e"});
  CHECK(take_fresh({key("f", 6), key("g", 7)}, into, 4, seen) == 1); // No room for g.
  CHECK(names_of(into) == names{"a", "b", "e", "f"});
}

TEST_CASE("of two keys of one name none is taken") {
  name_memory seen{100};
  std::vector<drawn_key> into;
  CHECK(take_fresh({key("a", 1), key("b", 2), key("a", 3)}, into, 10, seen) == 2);
  CHECK(names_of(into) == names{"b"});
  into.clear(); // b became a key of ours.
  CHECK(take_fresh({key("b", 4), key("a", 5)}, into, 10, seen) == 2);
  CHECK(into.empty());
}

TEST_CASE("a question about a block is bounded and without repetition") {
  CHECK(problem_of(block(3), {"a", "b", "c"}, 64).empty());
  CHECK_FALSE(problem_of(block(4), {"a", "b", "c"}, 64).empty());
  CHECK_FALSE(problem_of(block(2), {"a", "b"}, 64).empty());
  CHECK_FALSE(problem_of(block(3), {"a", "b", "c"}, 2).empty());
  CHECK_FALSE(problem_of(block(3), {"a", "b", "a"}, 64).empty());
  CHECK_FALSE(problem_of(block(3), {"a", "b", ""}, 64).empty());
  CHECK_FALSE(problem_of(block(0), {}, 64).empty());
}

TEST_CASE("what was fetched is put in the order of the names") {
  std::vector<drawn_key> fetched{key("d", 4), key("x", 9), key("a", 1), key("d", 5)};
  CHECK(positions_of({"a", "b", "c", "d"}, fetched) == positions{0, 3});
  CHECK(names_of(fetched) == names{"a", "d"});
  CHECK(fetched[1].bits.view()[0] == 4);
}

TEST_CASE("a block has the keys that both ends hold, and no other answer is taken") {
  std::vector<drawn_key> drawn{key("a", 1), key("b", 2), key("c", 3), key("d", 4)};
  auto both = select(drawn, block(3), {0, 2, 3});
  REQUIRE(both);
  auto x = make_block(block(3), *both);
  CHECK(x.material.size() == 96);
  CHECK(x.material.view()[0] == 1);
  CHECK(x.material.view()[32] == 3);
  CHECK(x.material.view()[95] == 4);
  CHECK(select(drawn, block(0), {}));
  for (auto& bad : {positions{0, 2}, positions{0, 2, 4}, positions{0, 2, 2}, positions{2, 1, 3},
                    positions{0, 1, 2, 3}})
    CHECK(select(drawn, block(3), bad).error().code == ec::invalid_argument);
}

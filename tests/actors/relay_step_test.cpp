#include "actors/trusted_node/path_book.hpp"
#include "actors/trusted_node/relay_states.hpp"
#include "actors/trusted_node/relay_step.hpp"
#include "runtime/crypto/one_time.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace std::chrono_literals;

namespace {

// Printed in section V of the paper (one key over one trusted node).
const auto key1 = *from_hex("063c394625fb316d899e849265ca04b25fbd3eaf12cf51a48871f9c7a548ae40");
const auto enc = *from_hex("07098e88af3dcc5f0c558d0b751028553031c6e613146196ae7b11cb4cb43bc9");
const auto key2 = *from_hex("0135b7ce8ac6fd3285cb099910da2ce76f8cf84901db3032260ae80ce9fc9589");

site_path path(std::initializer_list<const char*> names) {
  site_path out;
  for (auto* x : names)
    out.emplace_back(x);
  return out;
}

relay_route route(uint32_t count) {
  relay_route out;
  out.id.value[0] = 7;
  out.block = {link_id{"co/dc3"}, 1, link_end::bob, 0, count};
  out.path = path({"co", "n1", "dc3"});
  return out;
}

hop_keys keys_of(const char* link, uint8_t fill, size_t count) {
  hop_keys out;
  for (size_t i = 0; i < count; ++i) {
    out.ids.push_back(make_key_id(link_id{link}, 1, link_end::bob, i));
    out.bits.emplace_back(bytes(key_bytes, static_cast<uint8_t>(fill + i)));
  }
  return out;
}

bool same(const secret& a, byte_view b) {
  return equal_constant_time(a.view(), b);
}

path_book::hop hop(const char* link, const char* a, const char* b) {
  return {link_id{link}, site_id{a}, site_id{b}};
}

std::vector<site_edge> edges(std::initializer_list<std::pair<const char*, const char*>> all) {
  std::vector<site_edge> out;
  for (auto& x : all)
    out.push_back({site_id{x.first}, site_id{x.second}});
  return out;
}

const auto start = time_point{} + 1h;

} // namespace

TEST_CASE("the paper's printed keys: wrapping Key2 under Key1 gives Enc, unwrapping gives Key2") {
  hop_keys pads = keys_of("bob1/alice1", 0, 2);
  pads.bits[0] = secret{key1};
  auto next = keys_of("bob2/alice2", 50, 2).ids;
  auto batch = wrap(route(1), 1, pads, next, {secret{key2}});
  REQUIRE(batch);
  CHECK(to_hex(batch->wrapped) == to_hex(enc));
  auto back = unwrap(route(1), 1, pads, *batch, false);
  REQUIRE(back);
  REQUIRE(back->size() == 1);
  CHECK(same(back->front(), key2));
}

TEST_CASE("a batch of keys walks three hops and arrives as the far end has it") {
  auto r = route(3);
  r.path = path({"co", "n1", "n2", "dc3"});
  auto hop1 = keys_of("bob1/alice1", 10, 4), hop2 = keys_of("bob2/alice2", 20, 4),
       hop3 = keys_of("bob3/alice3", 30, 4);
  auto ack = wrap(r, 3, hop3, {}, {});
  REQUIRE(ack);
  CHECK(ack->wrapped.empty());
  auto at_n2 = unwrap(r, 3, hop3, *ack, true);
  REQUIRE(at_n2);
  auto from_n2 = wrap(r, 2, hop2, hop3.ids, *at_n2);
  REQUIRE(from_n2);
  auto at_n1 = unwrap(r, 2, hop2, *from_n2, false);
  REQUIRE(at_n1);
  auto from_n1 = wrap(r, 1, hop1, hop2.ids, *at_n1);
  REQUIRE(from_n1);
  auto at_co = unwrap(r, 1, hop1, *from_n1, false);
  REQUIRE(at_co);
  for (size_t i = 0; i < 3; ++i)
    CHECK(same((*at_co)[i], hop3.bits[i].view()));
}

TEST_CASE("a change of any field of a batch or its route kills it") {
  auto pads = keys_of("bob1/alice1", 10, 3);
  auto far = keys_of("bob2/alice2", 20, 3);
  std::vector<secret> keys{far.bits[0], far.bits[1]};
  auto good = wrap(route(2), 1, pads, far.ids, keys);
  REQUIRE(good);
  REQUIRE(unwrap(route(2), 1, pads, *good, false));
  auto refused = [&](const char* what, const relay_route& r, uint32_t hop, const hop_keys& p,
                     const wrapped_batch& b) {
    auto x = unwrap(r, hop, p, b, false);
    INFO(what);
    REQUIRE_FALSE(x);
    CHECK(x.error().code == ec::digest_mismatch);
  };
  for (size_t i = 0; i < good->wrapped.size(); ++i) {
    auto b = *good;
    b.wrapped[i] ^= 1;
    refused("a wrapped byte", route(2), 1, pads, b);
  }
  for (size_t i = 0; i < good->tag.size(); ++i) {
    auto b = *good;
    b.tag[i] ^= 0x80;
    refused("a byte of the tag", route(2), 1, pads, b);
  }
  auto b = *good;
  std::swap(b.next[0], b.next[1]);
  refused("two ids of the next hop", route(2), 1, pads, b);
  b = *good;
  b.next.pop_back();
  refused("an id less", route(2), 1, pads, b);
  b = *good;
  b.wrapped.resize(key_bytes);
  refused("a key less", route(2), 1, pads, b);
  auto p = pads;
  std::swap(p.ids[0], p.ids[1]);
  refused("two ids of the pads", route(2), 1, p, *good);
  refused("the hop", route(2), 2, pads, *good);
  auto changed = [&](const char* what, auto change) {
    auto r = route(2);
    change(r);
    refused(what, r, 1, pads, *good);
  };
  changed("the relay", [](auto& r) { r.id.value[15] ^= 1; });
  changed("the share", [](auto& r) { r.share = 1; });
  changed("the virtual link", [](auto& r) { r.block.link = link_id{"co/dc4"}; });
  changed("the session", [](auto& r) { r.block.session = 2; });
  changed("the allocator", [](auto& r) { r.block.allocator = link_end::alice; });
  changed("the first counter", [](auto& r) { r.block.first = 2; });
  changed("a site", [](auto& r) { r.path[1] = site_id{"n2"}; });
  changed("the order of sites", [](auto& r) { std::swap(r.path[0], r.path[2]); });
  changed("a site more", [](auto& r) { r.path.push_back(site_id{"dc4"}); });
}

TEST_CASE("pads that do not fit the batch are refused, never wrapped around") {
  auto far = keys_of("bob2/alice2", 20, 3);
  std::vector<secret> keys{far.bits[0], far.bits[1]};
  for (size_t n : {0u, 1u, 2u, 4u}) {
    auto x = wrap(route(2), 1, keys_of("bob1/alice1", 10, n), far.ids, keys);
    REQUIRE_FALSE(x);
    CHECK(x.error().code == ec::invalid_argument);
  }
  CHECK_FALSE(wrap(route(2), 1, keys_of("bob1/alice1", 10, 3), far.ids, {far.bits[0]}));
  auto pads = keys_of("bob1/alice1", 10, 3);
  pads.bits[1] = secret{bytes(31, 1)};
  CHECK_FALSE(wrap(route(2), 1, pads, far.ids, keys));
  // A well tagged answer of the far end where wrapped keys are due, and the other way round.
  pads = keys_of("bob1/alice1", 10, 3);
  CHECK_FALSE(unwrap(route(2), 1, pads, *wrap(route(2), 1, pads, {}, {}), false));
  CHECK_FALSE(unwrap(route(2), 1, pads, *wrap(route(2), 1, pads, far.ids, keys), true));
}

TEST_CASE("a block is the XOR of all its shares and of nothing less") {
  std::vector<secret> shares{secret{key1}, secret{enc}};
  CHECK(same(combined(shares), key2));
  CHECK(same(combined({secret{key1}}), key1));
  CHECK_FALSE(same(combined({shares[0], shares[1], secret{bytes(32, 1)}}), key2));
  CHECK(joined({secret{key1}, secret{key2}}).size() == 64);
}

TEST_CASE("wiped hop keys are gone for every handle") {
  auto pads = keys_of("bob1/alice1", 10, 2);
  auto handle = pads.bits[0];
  pads.wipe();
  CHECK(pads.empty());
  CHECK(std::all_of(handle.view().begin(), handle.view().end(), [](auto b) { return b == 0; }));
}

TEST_CASE("the states of a relay, every cell of them") {
  const char* table[relay_state_count][relay_event_count] = {
      //  claimed   drawn     end_keys   answered stored  failed
      {"drawing", "", "storing", "", "", "failed"}, // claiming
      {"", "asking", "", "", "", "failed"},         // drawing
      {"", "", "storing", "done", "", "failed"},    // asking
      {"", "", "", "", "done", "failed"},           // storing
      {"", "", "", "", "", ""},                     // done
      {"", "", "", "", "", ""},                     // failed
  };
  for (size_t s = 0; s < relay_state_count; ++s)
    for (size_t e = 0; e < relay_event_count; ++e) {
      auto from = static_cast<relay_state>(s);
      auto event = static_cast<relay_event>(e);
      auto to = next(from, event);
      INFO(to_string(from) << " + " << to_string(event));
      CHECK((to ? to_string(*to) : "") == table[s][e]);
    }
}

TEST_CASE("disjoint paths are found where the shortest path would block them") {
  // The shortest way a-b-c-d uses b and c, which both longer ones need.
  auto trap =
      edges({{"a", "b"}, {"b", "c"}, {"c", "d"}, {"a", "e"}, {"e", "c"}, {"b", "f"}, {"f", "d"}});
  auto one = disjoint_paths(trap, site_id{"a"}, site_id{"d"}, 1);
  REQUIRE(one.size() == 1);
  CHECK(one[0].size() == 4);
  auto two = disjoint_paths(trap, site_id{"a"}, site_id{"d"}, 2);
  REQUIRE(two.size() == 2);
  CHECK(two[0] == path({"a", "b", "f", "d"}));
  CHECK(two[1] == path({"a", "e", "c", "d"}));
  CHECK(disjoint_paths(trap, site_id{"a"}, site_id{"d"}, 3).empty());
}

TEST_CASE("disjoint paths share no site but their ends, in any graph") {
  uint32_t random = 1;
  auto next = [&random](uint32_t n) {
    random = random * 1664525u + 1013904223u;
    return (random >> 8) % n;
  };
  size_t found = 0;
  for (int graph = 0; graph < 300; ++graph) {
    std::vector<site_edge> all;
    for (int i = 0; i < 14; ++i)
      all.push_back(
          {site_id{"s" + std::to_string(next(8))}, site_id{"s" + std::to_string(next(8))}});
    for (size_t k = 1; k <= 3; ++k) {
      auto paths = disjoint_paths(all, site_id{"s0"}, site_id{"s7"}, k);
      if (paths.empty())
        continue;
      ++found;
      REQUIRE(paths.size() == k);
      std::set<site_id> middle;
      for (auto& p : paths) {
        CHECK(p.front() == site_id{"s0"});
        CHECK(p.back() == site_id{"s7"});
        for (size_t i = 1; i < p.size(); ++i)
          CHECK(std::any_of(all.begin(), all.end(), [&](auto& e) {
            return (e.a == p[i] && e.b == p[i - 1]) || (e.b == p[i] && e.a == p[i - 1]);
          }));
        for (size_t i = 1; i + 1 < p.size(); ++i)
          CHECK(middle.insert(p[i]).second);
      }
    }
  }
  CHECK(found > 300);
}

TEST_CASE("paths lead through no site that must not be trusted, nor from a site to itself") {
  auto net = edges({{"co", "n1"}, {"n1", "dc3"}, {"co", "n2"}, {"n2", "n4"}, {"n4", "dc3"}});
  site_id co{"co"}, dc3{"dc3"};
  CHECK(disjoint_paths(net, co, dc3, 1).at(0) == path({"co", "n1", "dc3"}));
  CHECK(disjoint_paths(net, co, dc3, 1, {site_id{"n1"}}).at(0) == path({"co", "n2", "n4", "dc3"}));
  CHECK(disjoint_paths(net, co, dc3, 1, {site_id{"n1"}, site_id{"n4"}}).empty());
  CHECK(disjoint_paths(net, co, co, 1).empty());
  CHECK(disjoint_paths(net, co, site_id{"dc9"}, 1).empty());
  CHECK(disjoint_paths({}, co, dc3, 1).empty());
}

TEST_CASE("the path with keys enough is taken, and the one that failed rests") {
  path_book book{{},
                 {hop("b1/a1", "co", "n1"), hop("b2/a2", "n1", "dc3"), hop("b3/a3", "co", "n2"),
                  hop("b4/a4", "n2", "dc3")},
                 {}};
  site_id co{"co"}, dc3{"dc3"};
  auto choice = [&](time_point now, size_t count = 1) {
    return book.choose(co, dc3, count, 65, now);
  };
  auto by_n1 = path({"co", "n1", "dc3"}), by_n2 = path({"co", "n2", "dc3"});
  REQUIRE(choice(start, 2).size() == 2);
  CHECK(choice(start)[0] == by_n1);
  book.saw_stock(link_id{"b2/a2"}, 64, start);
  CHECK(choice(start)[0] == by_n2);
  CHECK(choice(start, 2).empty());
  CHECK_FALSE(book.usable(by_n1, 65, start));
  CHECK(book.usable(by_n1, 64, start));
  // What was told long ago is tried again.
  CHECK(choice(start + 11s)[0] == by_n1);
  book.saw_stock(link_id{"b2/a2"}, 200, start + 11s);
  book.drew(link_id{"b2/a2"}, 150);
  CHECK(choice(start + 11s)[0] == by_n2);
  auto later = start + 1min;
  book.hop_failed(site_id{"co"}, site_id{"n1"}, later);
  CHECK(choice(later)[0] == by_n2);
  CHECK(choice(later + 1s)[0] == by_n1);
  book.hop_failed(site_id{"co"}, site_id{"n1"}, later + 1s);
  CHECK(choice(later + 2s)[0] == by_n2); // Twice as long as the first time.
  CHECK(choice(later + 3s)[0] == by_n1);
  book.worked(by_n1);
  book.hop_failed(site_id{"co"}, site_id{"n1"}, later + 4s);
  CHECK(choice(later + 5s)[0] == by_n1);
  book.saw_site(site_id{"n1"}, false);
  CHECK(choice(later + 5s)[0] == by_n2);
  book.path_failed(by_n2, later + 5s);
  CHECK(choice(later + 5s).empty());
  CHECK(book.obstacles(65, later + 5s)
        == "n1 is not joined, b3/a3 failed and rests for 1.00 s, "
           "b4/a4 failed and rests for 1.00 s");
  book.saw_site(site_id{"n1"}, true);
  CHECK(choice(later + 5s)[0] == by_n1);
}

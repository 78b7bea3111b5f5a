#include "runtime/base/secret.hpp"
#include "runtime/messages/keys.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;

TEST_CASE("a secret prints its size and nothing else") {
  bytes bits(32, 0x41);
  secret s{bits};
  CHECK(to_string(s) == "<secret 32 B>");
  key_grant grant{make_key_id(link_id{"bob1/alice1"}, 1, link_end::bob, 0), s, {}};
  auto printed = caf::deep_to_string(caf::make_message(grant));
  CHECK(printed.find("<secret 32 B>") != std::string::npos);
  CHECK(printed.find("4141") == std::string::npos);
  CHECK(printed.find("65, 65") == std::string::npos);
}

TEST_CASE("wiping a secret wipes it for every handle") {
  secret a{bytes(32, 0x41)};
  auto b = a;
  auto* where = b.view().data();
  a.wipe();
  CHECK(a.empty());
  CHECK(std::all_of(where, where + 32, [](uint8_t x) { return x == 0; }));
}

namespace {

struct pool_state {
  static inline const char* name = "pool";
};
using pool = actor_of<caf::result<key_grant>(claim_keys)>;

pool::behavior_type give(stateful<pool, pool_state>* self) {
  return {[self](const claim_keys& ask) -> caf::result<key_grant> {
    self->note("given", to_string(ask.keys.front()));
    return key_grant{ask.keys.front(), secret{bytes(32, 0x41)}, {}};
  }};
}

} // namespace

TEST_CASE("a key stays within its site although a gate stands for a remote pool") {
  test::world w;
  auto here = w.spawn("co", give);
  gates g{w.system(), w.site("dc1")};
  g.retarget(site_id{"co"}, "pool", caf::actor_cast<caf::strong_actor_ptr>(here));
  auto id = make_key_id(link_id{"bob1/alice1"}, 1, link_end::bob, 0);
  CHECK(w.ask<key_grant>(here, claim_keys{link_id{"bob1/alice1"}, {id}, "a", "b"}));
  auto far = w.ask<key_grant>(g.to<pool>(site_id{"co"}, "pool"),
                              claim_keys{link_id{"bob1/alice1"}, {id}, "a", "b"});
  REQUIRE_FALSE(far);
  CHECK(far.error() == ec::internal); // claim_keys is a local message.
}

TEST_CASE("a gate without a target refuses at once") {
  test::world w;
  gates g{w.system(), w.site("dc1")};
  auto before = w.now();
  auto answer = w.ask<site_status>(g.to<node_actor>(site_id{"co"}, "node"), site_status_query{});
  REQUIRE_FALSE(answer);
  CHECK(answer.error() == ec::site_unreachable);
  CHECK(w.now() == before);
}

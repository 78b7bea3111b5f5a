#include "actors/key_server/key_server.hpp"
#include "tests/support/world.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

namespace {

const link_id near{"bob1/alice1"};
const link_id far{"co/dc3"};

std::vector<application> everybody() {
  return {{"nfv-co", "nfv-co", site_id{"co"}, {}},
          {"billing", "urn:sae:7", site_id{"co"}, {}},
          {"mano-gw-1", "mano-gw-1", site_id{"dc1"}, near},
          {"backup-1", "backup-1", site_id{"dc1"}, near},
          {"mano-gw-3", "mano-gw-3", site_id{"dc3"}, far},
          {"island", "island", site_id{"dc9"}, {}}};
}

directory at_co() {
  return {site_id{"co"}, everybody(), {}};
}

draw_keys ask_of(const std::string& caller, const std::string& slave, uint32_t number = 1,
                 uint32_t size_bits = 256, std::vector<std::string> more = {}) {
  return {{caller}, slave, std::move(more), number, size_bits, {}};
}

/// "invalid_argument: text", or "" if it is allowed.
template <class Ask>
std::string refused(const Ask& x) {
  auto y = at_co().check(x);
  return y ? "" : describe(y.error());
}

std::string refused(const std::string& caller, const std::string& slave, uint32_t number = 1,
                    uint32_t size_bits = 256, std::vector<std::string> more = {}) {
  return refused(ask_of(caller, slave, number, size_bits, std::move(more)));
}

const std::string no = "not_allowed: the certificate does not allow this";
const key_id some_key{{1, 2, 3}};

} // namespace

TEST_CASE("an application draws keys on the link to its slave's site") {
  auto x = at_co().check(ask_of("nfv-co", "mano-gw-1", 3, 512));
  REQUIRE(x);
  CHECK(x->link == near);
  CHECK(x->count == 3);
  CHECK(x->size_bits == 512);
  CHECK(x->users.master == "nfv-co");
  CHECK(x->users.slaves == std::vector<std::string>{"mano-gw-1"});
  auto other = at_co().check(ask_of("urn:sae:7", "mano-gw-3"));
  REQUIRE(other);
  CHECK(other->link == far);
  CHECK(other->users.master == "billing");
}

TEST_CASE("a caller is an application of this site by exactly one name") {
  CHECK(refused("stranger", "mano-gw-1") == no);
  CHECK(refused("mano-gw-1", "nfv-co") == no);  // Of another site.
  CHECK(refused("billing", "mano-gw-1") == no); // Its name, but not what its certificate proves.
  CHECK(refused("", "mano-gw-1") == no);
  draw_keys x = ask_of("nfv-co", "mano-gw-1");
  x.caller = {};
  CHECK(refused(x) == no);
  x.caller = {"unknown.example", "nfv-co"};
  CHECK(refused(x) == "");
  x.caller = {"nfv-co", "nfv-co"};
  CHECK(refused(x) == "");
  x.caller = {"nfv-co", "urn:sae:7"};
  CHECK(refused(x) == no);
}

TEST_CASE("a slave that does not exist looks like one that shares no keys") {
  auto none = "invalid_argument: no keys are shared with the slave SAE";
  CHECK(refused("nfv-co", "nobody") == none);
  CHECK(refused("nfv-co", "island") == none);
  CHECK(refused("nfv-co", "billing") == none);
  CHECK(refused("nfv-co", "nfv-co") == none);
}

TEST_CASE("number and size are bounded, with the standard's words") {
  CHECK(refused("nfv-co", "mano-gw-1", 0) == "invalid_argument: number shall be 1 to 128");
  CHECK(refused("nfv-co", "mano-gw-1", 128) == "");
  CHECK(refused("nfv-co", "mano-gw-1", 129) == "invalid_argument: number shall be 1 to 128");
  CHECK(refused("nfv-co", "mano-gw-1", 1, 255)
        == "invalid_argument: size shall be a multiple of 8");
  CHECK(refused("nfv-co", "mano-gw-1", 1, 8) == "");
  CHECK(refused("nfv-co", "mano-gw-1", 1, 4096) == "");
  for (auto size : {0u, 4104u, 4294967288u})
    CHECK(refused("nfv-co", "mano-gw-1", 1, size)
          == "invalid_argument: size shall be 8 to 4096 bits");
}

TEST_CASE("additional slaves are of the slave's site, once each") {
  auto x = at_co().check(ask_of("nfv-co", "mano-gw-1", 1, 256, {"backup-1"}));
  REQUIRE(x);
  CHECK(x->users.slaves == std::vector<std::string>{"mano-gw-1", "backup-1"});
  auto elsewhere = "invalid_argument: every one of additional_slave_SAE_IDs shall be at the site "
                   "of the slave SAE";
  CHECK(refused("nfv-co", "mano-gw-1", 1, 256, {"mano-gw-3"}) == elsewhere);
  CHECK(refused("nfv-co", "mano-gw-1", 1, 256, {"nobody"}) == elsewhere);
  CHECK(refused("nfv-co", "mano-gw-1", 1, 256, {"nfv-co"}) == elsewhere);
  CHECK(refused("nfv-co", "mano-gw-1", 1, 256, {"mano-gw-1"})
        == "invalid_argument: a slave SAE is named twice");
  CHECK(refused("nfv-co", "mano-gw-1", 1, 256, std::vector<std::string>(17, "backup-1"))
        == "invalid_argument: at most 16 additional_slave_SAE_IDs");
}

TEST_CASE("keys are fetched in the names of both, never two for one id") {
  auto x = at_co().check(fetch_keys{{"nfv-co"}, "mano-gw-1", {some_key}});
  REQUIRE(x);
  CHECK(x->link == near);
  CHECK(x->master == "mano-gw-1");
  CHECK(x->slave == "nfv-co");
  CHECK(x->keys == std::vector<key_id>{some_key});
  CHECK(refused(fetch_keys{{"stranger"}, "mano-gw-1", {some_key}}) == no);
  CHECK(refused(fetch_keys{{"nfv-co"}, "nobody", {some_key}}).rfind("unknown_key", 0) == 0);
  CHECK(refused(fetch_keys{{"nfv-co"}, "mano-gw-1", {}})
        == "invalid_argument: key_IDs shall name 1 to 128 keys");
  CHECK(refused(fetch_keys{{"nfv-co"}, "mano-gw-1", std::vector<key_id>(129)})
        == "invalid_argument: key_IDs shall name 1 to 128 keys");
  CHECK(refused(fetch_keys{{"nfv-co"}, "mano-gw-1", {some_key, some_key}})
        == "invalid_argument: a key is named twice");
}

TEST_CASE("the status says how many more slaves a key can have") {
  auto x = at_co().check(application_status_query{{"nfv-co"}, "mano-gw-1"});
  REQUIRE(x);
  CHECK(x->source.value == "co");
  CHECK(x->target.value == "dc1");
  CHECK(x->additional_slaves_max == 1);
  auto alone = at_co().check(application_status_query{{"nfv-co"}, "mano-gw-3"});
  REQUIRE(alone);
  CHECK(alone->additional_slaves_max == 0);
  CHECK(refused(application_status_query{{"stranger"}, "mano-gw-1"}) == no);
}

namespace {

/// Answers the three questions of a key server and remembers what it was asked.
struct pool_double {
  std::vector<std::string> asked;
  bool silent = false;
};

key_pool_actor::behavior_type fake_pool(instrumented<key_pool_actor::base>* self,
                                        pool_double* seen) {
  return {
      [](key_block&) {},
      [=](const reserve_keys& x) {
        seen->asked.push_back("reserve for " + x.users.master + " from "
                              + self->sender_site().value);
        return key_grants{{{some_key, secret{32}, {}}}};
      },
      [=](const claim_keys& x) -> caf::result<key_grants> {
        seen->asked.push_back("claim for " + x.slave);
        return fail(ec::unknown_key, "gone");
      },
      [](const compare_stores& x) { return x; },
      [](const confirm_block&) { return block_confirmed{}; },
      [](const assign_keys&) { return keys_assigned{}; },
      [](const reconcile_keys&) { return keys_gone{}; },
      [](const store_progress&) {},
      [=](const pool_status_query& x) -> caf::result<pool_status> {
        if (seen->silent)
          return self->make_response_promise<pool_status>();
        pool_status out;
        out.link = x.link;
        out.ready = 40;
        out.ready_here = 30;
        return out;
      },
      [](const keys_status_query&) { return keys_status{}; },
      [](const reconcile_now&) { return pool_status{}; },
      [](const peer_up&) {},
      [](const peer_down&) {},
      [](const tick&) {},
      [](const continuation&) {},
  };
}

struct office {
  pool_double seen;
  world w;
  key_pool_actor pool = w.spawn("co", fake_pool, &seen);
  key_server_actor server =
      w.spawn("co", key_server, key_server_config{site_id{"co"}, everybody(), {}, pool, 2000});
};

} // namespace

TEST_CASE("the pool answers whoever asked the key server") {
  office x;
  auto keys = x.w.ask_as<key_grants>("co", x.server, ask_of("nfv-co", "mano-gw-1"));
  REQUIRE(keys);
  CHECK(keys->keys.front().id == some_key);
  auto gone =
      x.w.ask_as<key_grants>("co", x.server, fetch_keys{{"nfv-co"}, "mano-gw-1", {some_key}});
  REQUIRE_FALSE(gone);
  CHECK(to_failure(gone.error()).code == ec::unknown_key);
  CHECK(x.seen.asked == std::vector<std::string>{"reserve for nfv-co from co", "claim for nfv-co"});
}

TEST_CASE("whoever may not ask never reaches the pool") {
  office x;
  auto stranger = x.w.ask_as<key_grants>("co", x.server, ask_of("stranger", "mano-gw-1"));
  REQUIRE_FALSE(stranger);
  CHECK(to_failure(stranger.error()).code == ec::not_allowed);
  // An actor of another site, in the name of an application of this one.
  auto elsewhere = x.w.ask_as<key_grants>("dc1", x.server, ask_of("nfv-co", "mano-gw-1"));
  REQUIRE_FALSE(elsewhere);
  CHECK(to_failure(elsewhere.error()).code == ec::not_allowed);
  auto status = x.w.ask_as<application_status>("dc1", x.server,
                                               application_status_query{{"nfv-co"}, "mano-gw-1"});
  REQUIRE_FALSE(status);
  CHECK(x.seen.asked.empty());
}

TEST_CASE("the stock is what this end can hand out, or the pool did not say") {
  office x;
  application_status_query ask{{"nfv-co"}, "mano-gw-1"};
  auto status = x.w.ask_as<application_status>("co", x.server, ask);
  REQUIRE(status);
  CHECK(status->stored_keys == 30);
  CHECK(status->stored_keys_max == 20000);
  x.seen.silent = true;
  auto silence = x.w.ask_as<application_status>("co", x.server, ask);
  REQUIRE_FALSE(silence);
  CHECK(to_failure(silence.error()).code == ec::maybe_executed);
}

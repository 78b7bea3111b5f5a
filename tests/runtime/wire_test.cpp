#include "runtime/messages/admin.hpp"
#include "runtime/messages/applications.hpp"
#include "runtime/messages/faults.hpp"
#include "runtime/messages/images.hpp"
#include "runtime/messages/keys.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/messages/message_names.hpp"
#include "runtime/messages/paths.hpp"
#include "runtime/messages/relay.hpp"
#include "runtime/messages/schedule.hpp"
#include "runtime/messages/vnfs.hpp"
#include "runtime/messages/wire.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace qnfv;

namespace {

struct config : caf::actor_system_config {
  config() {
    register_wire(*this);
    set("scheduler.policy", caf::atom("testing"));
  }
};

template <class T>
bool registered(caf::actor_system& system) {
  return system.types().portable_name(0, &typeid(T)) != "???";
}

template <long... I>
std::vector<bool> registered_block(caf::actor_system& system, std::integer_sequence<long, I...>) {
  return {registered<typename caf::type_by_id<caf::id_block::qnfv_local::begin + I>::type>(system)...};
}

template <class T>
T there_and_back(caf::actor_system& system, const T& x) {
  std::vector<char> buffer;
  caf::binary_serializer out{system, buffer};
  REQUIRE_FALSE(out(const_cast<T&>(x)));
  T y;
  caf::binary_deserializer in{system, buffer};
  REQUIRE_FALSE(in(y));
  return y;
}

} // namespace

TEST_CASE("no message of the local block is known to the wire") {
  config c;
  caf::actor_system system{c};
  constexpr auto count = caf::id_block::qnfv_local::end - caf::id_block::qnfv_local::begin;
  auto found = registered_block(system, std::make_integer_sequence<long, count>{});
  CHECK(found.size() > 30);
  CHECK(std::count(found.begin(), found.end(), true) == 0);
  CHECK(registered<transfer_offer>(system));
  CHECK(registered<assign_keys>(system));
}

TEST_CASE("an order crosses the wire unchanged") {
  config c;
  caf::actor_system system{c};
  order x;
  x.id = order_id{"order-17"};
  x.state = order_state::installing;
  x.code = ec::vim_failed;
  x.reason = "no space left";
  x.key = make_key_id(link_id{"bob1/alice1"}, 3, link_end::bob, 4);
  x.size_bytes = 769'000'000;
  x.stream_s = 1.5;
  auto y = there_and_back(system, x);
  CHECK(caf::deep_to_string(x) == caf::deep_to_string(y));
  CHECK(y.key == x.key);
}

TEST_CASE("a drawn block crosses the wire with names only") {
  config c;
  caf::actor_system system{c};
  drawn_block x{{link_id{"bob1/alice1"}, 3, link_end::alice, 64, 2}, {"0000000300000001", "b"}};
  auto y = there_and_back(system, x);
  CHECK(caf::deep_to_string(x) == caf::deep_to_string(y));
  CHECK(y.names == x.names);
  auto z = there_and_back(system, block_fetched{x.block, {0, 1}});
  CHECK(z.held == std::vector<uint32_t>{0, 1});
}

TEST_CASE("an error crosses actors with its code and text") {
  auto error = fail(ec::unknown_image, "no image fw");
  CHECK(describe(error) == "unknown_image: no image fw");
  auto back = to_failure(error);
  CHECK(back.code == ec::unknown_image);
  CHECK(back.text == "no image fw");
  CHECK(to_failure(caf::make_error(caf::sec::request_timeout)).code == ec::maybe_executed);
  CHECK(to_failure(caf::make_error(caf::sec::request_receiver_down)).code == ec::site_unreachable);
}

TEST_CASE("what is infinite crosses the wire as the largest number, and what is no number as 0") {
  config c;
  caf::actor_system system{c};
  scheduled_link x;
  x.link = link_id{"bob1/alice1"};
  x.remaining_life_s = std::numeric_limits<double>::infinity();
  x.due_s = -std::numeric_limits<double>::infinity();
  x.demand_bps = std::numeric_limits<double>::quiet_NaN();
  x.rate_bps = 0.1;
  auto y = there_and_back(system, x);
  CHECK(y.link == x.link);
  CHECK(y.remaining_life_s == std::numeric_limits<double>::max());
  CHECK(y.due_s == std::numeric_limits<double>::lowest());
  CHECK(y.demand_bps == 0);
  CHECK(y.rate_bps == 0.1);
}

TEST_CASE("a peer may send any number for a state: it has no name") {
  CHECK(to_string(static_cast<link_state>(200)) == "?");
  CHECK(to_string(static_cast<qkd_phase>(200)) == "?");
  CHECK(to_string(static_cast<order_state>(200)) == "?");
  CHECK(to_string(static_cast<vnf_state>(200)) == "?");
  CHECK(to_string(static_cast<switch_event::kind>(200)) == "?");
  CHECK(to_string(static_cast<switch_fault::kind>(200)) == "?");
  CHECK(to_string(static_cast<ec>(200)) == "?");
  CHECK(to_string(link_state::failed) == "failed");
}

TEST_CASE("messages go by their type's name, and one that nobody knows is refused") {
  auto& all = message_names();
  CHECK(std::count(all.begin(), all.end(), "trace_context") == 1);
  CHECK(std::count(all.begin(), all.end(), "peer_lost") == 1);
  CHECK(std::set<std::string>(all.begin(), all.end()).size() == all.size());
  CHECK(check_message_name("reserve_keys"));
  auto no = check_message_name("reserve_key");
  REQUIRE_FALSE(no);
  CHECK(no.error().text == "no message is called reserve_key; did you mean reserve_keys?");
  CHECK_FALSE(check_message_name("qnfv::reserve_keys"));
  CHECK_FALSE(check_message_name(""));
}

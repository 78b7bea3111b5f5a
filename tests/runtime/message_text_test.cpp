#include "runtime/messages/admin.hpp"
#include "runtime/messages/applications.hpp"
#include "runtime/messages/channels.hpp"
#include "runtime/messages/faults.hpp"
#include "runtime/messages/images.hpp"
#include "runtime/messages/keys.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/messages/paths.hpp"
#include "runtime/messages/relay.hpp"
#include "runtime/messages/schedule.hpp"
#include "runtime/messages/vnfs.hpp"
#include "runtime/tracing/message_kinds.hpp"
#include "runtime/tracing/record.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;

namespace {

/// One that no list knows, with something that must not live longer because it is recorded.
struct unheard_of {
  std::shared_ptr<int> owned;
  friend std::string to_string(const unheard_of&) { return "unheard_of"; }
};

/// What the trace keeps of a message that holds `x`.
template <class T>
trace_record recorded(const T& x) {
  auto message = caf::make_message(x);
  trace_record out;
  out.say("co/a", "co/b", *message.cvals());
  return out;
}

std::string cut(std::string x) {
  return x.size() <= trace_record::text_max ? x : x.substr(0, trace_record::text_max) + "...";
}

template <class T>
void check_text(const T& x) {
  auto want = caf::deep_to_string(x);
  auto got = recorded(x);
  CHECK(got.text() == cut(want));
  CHECK(got.message() == want.substr(0, std::min<size_t>(want.find('('), 40)));
}

template <class Block, long... I>
void check_block(std::integer_sequence<long, I...>) {
  (check_text(typename caf::type_by_id<Block::begin + I>::type{}), ...);
}

} // namespace
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(unheard_of)

TEST_CASE("the trace prints every type of message as CAF does") {
  using wire = caf::id_block::qnfv_wire;
  using local = caf::id_block::qnfv_local;
  check_block<wire>(std::make_integer_sequence<long, wire::end - wire::begin>{});
  check_block<local>(std::make_integer_sequence<long, local::end - local::begin>{});
}

TEST_CASE("the trace prints values as CAF does") {
  transfer_offer offer;
  offer.order = order_id{"order-17"};
  offer.image = image_id{"firewall"};
  offer.digest = "\"quoted\" and \\ back";
  offer.size_bytes = UINT64_MAX;
  offer.transfer = transfer_id{{1, 2, 3, 0xab, 0xcd, 0xef}};
  offer.link = link_id{"bob1/alice1"};
  check_text(offer);
  offer.digest = "a \"quote\" in between";
  check_text(offer);
  order one;
  one.id = order_id{"order-1"};
  one.reason = "größer \n than \r a \t line \a";
  one.key = make_key_id(link_id{"bob1/alice1"}, 3, link_end::alice, 4);
  for (double x : {0.0, -0.0, 1.5, -1e-7, 123456789.123456789, 1e300, -1e300}) {
    one.stream_s = x;
    check_text(one);
  }
  check_text(order_list{{one, one}});
  draw_keys draw;
  draw.additional_slaves = {"a", "", "c"};
  check_text(draw);
  check_text(site_status{});
  trace_query query;
  query.after = {{"co", event_id{"co", 1, 2}}, {"dc1", {}}};
  check_text(query);
  claim_keys claim;
  claim.keys.resize(1000);
  check_text(claim);
  check_text(fail(ec::key_exhausted, "the pool is empty"));
  check_text(std::string(400, 'x'));
}

TEST_CASE("of a message that holds secrets only their size is kept, and nothing of it lives on") {
  key_grant grant;
  grant.material = secret{byte_view{std::string_view{"these bits are nobody's business"}}};
  auto x = recorded(key_grants{{grant}});
  CHECK(x.text() == "key_grants(1)");
  x = recorded(grant);
  CHECK(x.text().find("<secret 32 B>") != std::string_view::npos);
  CHECK(x.bytes().find("nobody's business") == std::string_view::npos);
  unheard_of probe{std::make_shared<int>(1)};
  CHECK(recorded(probe).text() == "unheard_of");
  CHECK(probe.owned.use_count() == 1);
}

TEST_CASE("timers, heartbeats and status questions are not worth recording; everything else is") {
  auto worth = [](const auto& x) { return kind_of(*caf::make_message(x).cvals()).worth_recording; };
  CHECK_FALSE(worth(heartbeat{}));
  CHECK_FALSE(worth(pool_status_query{}));
  CHECK_FALSE(worth(tick{}));
  CHECK_FALSE(worth(caf::exit_msg{}));
  CHECK_FALSE(worth(caf::down_msg{}));
  CHECK(worth(transfer_offer{}));
  CHECK(worth(key_grants{}));
  CHECK(worth(caf::error{}));
  CHECK(worth(unheard_of{}));
}

#include "tests/support/relay_lab.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

namespace {

using fibre = relay_lab::fibre;

const fibre co_n1{link_id{"bob1/alice1"}, "co", "n1"};
const fibre n1_dc3{link_id{"bob3/alice3"}, "n1", "dc3"};
const fibre co_n2{link_id{"bob2/alice2"}, "co", "n2"};
const fibre n2_dc3{link_id{"bob4/alice4"}, "n2", "dc3"};

/// Fig. 6: co and dc3 with one trusted node in between.
struct fig6 : relay_lab {
  explicit fig6(uint64_t seed = 1) : relay_lab(seed, {"co", "n1", "dc3"}, {co_n1, n1_dc3}) {}
  void begin() {
    start();
    distil(200);
  }
};

struct diamond : relay_lab {
  explicit diamond(uint32_t paths = 1)
      : relay_lab(1, {"co", "n1", "n2", "dc3"}, {co_n1, n1_dc3, co_n2, n2_dc3}, paths) {}
};

std::string all_of(const std::vector<std::string>& lines) {
  std::string out;
  for (auto& x : lines)
    out += "\n  " + x;
  return out;
}

void check_nothing_is_wrong(relay_lab& lab) {
  auto found = lab.violations();
  INFO("violations:" << all_of(found));
  CHECK(found.empty());
}

void check_same(const relay_lab::delivery& x) {
  REQUIRE(x.master.material.size() == key_bytes);
  REQUIRE(x.slave.material.size() == key_bytes);
  CHECK(equal_constant_time(x.master.material.view(), x.slave.material.view()));
}

} // namespace

TEST_CASE("a far site's pool fills over a trusted node, and both ends hand out the same keys") {
  fig6 lab;
  lab.begin();
  lab.w.advance(10s);
  auto origin = lab.origin(), far_end = lab.far_end();
  CHECK(origin.ready >= 40);
  CHECK(origin.ready == far_end.ready);
  auto x = lab.deliver();
  check_same(x);
  // Whoever gets a key is told who else saw it.
  CHECK(x.master.exposed_to == std::vector<site_id>{site_id{"n1"}});
  CHECK(x.slave.exposed_to == x.master.exposed_to);
  auto status = lab.status();
  CHECK(status.session == 1);
  CHECK(status.paths == std::vector<site_path>{{site_id{"co"}, site_id{"n1"}, site_id{"dc3"}}});
  CHECK(status.exposed_to == x.master.exposed_to);
  CHECK(status.each_sees_keys);
  CHECK(status.relays_done == 3);
  CHECK(status.relays_failed == 0);
  CHECK(status.trouble.empty());
  for (int step = 1; step <= 8; ++step)
    CHECK(lab.steps[step] == 3);
  // Three blocks of twenty: 21 keys of each hop for each.
  for (auto* site : {"co", "n1"}) {
    auto spent = lab.w.ask<relay_status>(lab.nodes[site], relay_status_query{});
    REQUIRE(spent);
    REQUIRE(spent->spent.size() == 1);
    CHECK(spent->spent[0].keys == 63);
  }
  lab.w.advance(2min);
  check_nothing_is_wrong(lab);
}

TEST_CASE("the pool is filled again when its keys are used, and waits while a hop has none") {
  fig6 lab;
  lab.begin();
  lab.w.advance(10s);
  auto before = lab.status().relays_done;
  for (int i = 0; i < 25; ++i)
    check_same(lab.deliver());
  lab.w.advance(10s);
  CHECK(lab.status().relays_done > before);
  for (int i = 0; i < 300 && lab.deliver().master.material.size() > 0; ++i)
    lab.w.advance(200ms);
  lab.w.advance(1min);
  auto empty = lab.status();
  CHECK(empty.stock < 40);
  CHECK(empty.trouble.find("keys") != std::string::npos);
  CHECK(std::count_if(lab.alarms.begin(), lab.alarms.end(),
                      [](auto& x) { return x.find("co/dc3 runs low") != std::string::npos; })
        == 1);
  lab.distil(200);
  lab.w.advance(1min);
  CHECK(lab.status().trouble.empty());
  check_same(lab.deliver());
  lab.w.advance(2min);
  check_nothing_is_wrong(lab);
}

TEST_CASE("a fault between any two of the eight steps, at each of the three sites") {
  size_t cases = 0;
  for (auto fault : {relay_fault::crash, relay_fault::stop, relay_fault::partition})
    for (int step = 1; step <= 8; ++step)
      for (auto* site : {"co", "n1", "dc3"}) {
        INFO(to_string(fault) << " of " << site << " after step " << step);
        ++cases;
        fig6 lab{cases};
        // While the second of three blocks is relayed.
        lab.armed = relay_lab::trap{fault, step, site, 2};
        lab.begin();
        auto limit = lab.w.now() + 10s;
        while (!lab.armed->struck && lab.w.now() < limit)
          lab.w.advance(1ms);
        REQUIRE(lab.armed->struck);
        lab.w.advance(2s);
        if (fault != relay_fault::stop) {
          lab.tell_down(site); // What missing heartbeats say.
          lab.w.advance(5s);
        }
        lab.repair(fault, site);
        lab.w.advance(5s);
        lab.distil(100);
        lab.w.advance(3min); // Time limits, and several reconciliations.
        auto found = lab.violations();
        INFO("violations:" << all_of(found));
        CHECK(found.empty());
        auto status = lab.status();
        INFO("last failure: " << status.last_reason << "; trouble: " << status.trouble);
        CHECK(status.under_way == 0);
        // It goes on: there is stock again, and a key arrives.
        CHECK(status.stock >= 40);
        check_same(lab.deliver());
      }
  CHECK(cases == 72);
}

TEST_CASE("the pads of a relay that failed are spent at once, not when their time is up") {
  for (int step : {1, 2, 3, 4, 5}) {
    fig6 lab;
    lab.armed = relay_lab::trap{relay_fault::stop, step, "dc3", 2};
    lab.begin();
    while (!lab.armed->struck)
      lab.w.advance(1ms);
    lab.w.advance(4s);
    lab.repair(relay_fault::stop, "dc3");
    lab.w.advance(4s);
    INFO("after step " << step);
    for (auto& f : lab.fibres)
      for (auto& site : {f.bob, f.alice}) {
        auto pool = lab.pool(site, f.link);
        CHECK(pool.reserved == 0);
        CHECK(pool.assigned == 0);
      }
  }
}

TEST_CASE("another path, another session: the node that fails is gone round") {
  diamond lab;
  lab.start();
  lab.distil(200);
  lab.w.advance(10s);
  CHECK(lab.status().exposed_to == std::vector<site_id>{site_id{"n1"}});
  auto first = lab.deliver();
  check_same(first);
  lab.strike(relay_fault::crash, "n1");
  lab.tell_down("n1");
  for (int i = 0; i < 30; ++i)
    lab.deliver();
  lab.w.advance(20s);
  auto status = lab.status();
  CHECK(status.session == 2);
  CHECK(status.exposed_to == std::vector<site_id>{site_id{"n2"}});
  for (int i = 0; i < 40; ++i) {
    auto x = lab.deliver();
    check_same(x);
    // Each key tells of its own path.
    auto node = session_of(x.master.id) == 1 ? "n1" : "n2";
    CHECK(x.master.exposed_to == std::vector<site_id>{site_id{node}});
    CHECK(x.slave.exposed_to == x.master.exposed_to);
    lab.w.advance(500ms);
  }
  lab.repair(relay_fault::crash, "n1");
  lab.w.advance(3min);
  check_nothing_is_wrong(lab);
}

TEST_CASE("two shares over two paths make one key, and no node sees it") {
  diamond lab{2};
  lab.start();
  lab.distil(200);
  lab.w.advance(10s);
  auto status = lab.status();
  CHECK(status.paths.size() == 2);
  CHECK(status.exposed_to == std::vector<site_id>{site_id{"n1"}, site_id{"n2"}});
  CHECK_FALSE(status.each_sees_keys);
  CHECK(lab.origin().ready >= 40);
  check_same(lab.deliver());
  // A key is none of the pads that a node had.
  std::set<std::string> pads;
  for (auto& [key, bits] : lab.book->arrived)
    if (!belongs_to(key.second, lab.link()))
      pads.insert(bits);
  for (auto& [key, bits] : lab.book->arrived)
    if (belongs_to(key.second, lab.link()))
      CHECK(pads.count(bits) == 0);
  lab.w.advance(2min);
  check_nothing_is_wrong(lab);
}

TEST_CASE("a share that is missing kills the whole block at both ends") {
  diamond lab{2};
  lab.start();
  lab.distil(lab.fibres[0], 200);
  lab.distil(lab.fibres[1], 200);
  lab.distil(lab.fibres[2], 200);
  lab.distil(lab.fibres[3], 30); // Enough for one share.
  lab.w.advance(30s);
  CHECK(lab.origin().ready > 0);
  CHECK(lab.status().relays_done == 1);
  CHECK(lab.status().relays_failed > 0);
  lab.w.advance(2min);
  check_nothing_is_wrong(lab);
  lab.distil(lab.fibres[3], 200);
  lab.w.advance(1min);
  check_same(lab.deliver());
  lab.w.advance(2min);
  check_nothing_is_wrong(lab);
}

namespace {

/// Relays as it should, but flips bits of what it relays, and tags them well.
struct liar_state {
  static inline const char* name = "trusted_node";
};

trusted_node_actor::behavior_type liar(stateful<trusted_node_actor, liar_state>* self,
                                       trusted_node_config config) {
  auto c = std::make_shared<trusted_node_config>(std::move(config));
  return {
      [self, c](const relay_keys& ask) -> caf::result<wrapped_keys> {
        auto promise = self->make_response_promise<wrapped_keys>();
        auto from = ask.route.path[0].value + "/trusted_node";
        auto me = c->site.value + "/trusted_node";
        auto to = ask.route.path[2];
        path_book book{{}, c->hops, {}};
        auto link1 = book.between(ask.route.path[0], c->site)->link;
        auto link2 = book.between(c->site, to)->link;
        self->request(c->key_pool, 5s, claim_keys{link1, ask.keys, from, me})
            .then([=](key_grants& one) mutable {
              auto pads = std::make_shared<hop_keys>(take(one.keys));
              reserve_keys want{link2,
                                ask.route.block.count + 1,
                                key_bits,
                                {},
                                {me, {to.value + "/trusted_node"}}};
              want.request.value = self->env().random->bytes_of<std::array<uint8_t, 16>>();
              self->request(c->key_pool, 5s, want).then([=](key_grants& two) mutable {
                auto keys = std::make_shared<hop_keys>(take(two.keys));
                self->request(c->others.at(to), 5s, relay_keys{ask.route, 2, keys->ids})
                    .then([=](const wrapped_keys& ack) mutable {
                      auto real =
                          unwrap(ask.route, 2, *keys, {ack.next, ack.wrapped, ack.tag}, true);
                      REQUIRE(real);
                      for (auto& key : *real)
                        key.data()[3] ^= 0x40;
                      auto batch = wrap(ask.route, 1, *pads, keys->ids, *real);
                      wrapped_keys out;
                      out.id = ask.route.id;
                      out.next = batch->next;
                      out.wrapped = batch->wrapped;
                      out.tag = batch->tag;
                      promise.deliver(out);
                    });
              });
            });
        return promise;
      },
      [](const drop_relay&) { return accepted{}; },
      [](const announce_session&) -> caf::result<session_announced> {
        return fail(ec::not_allowed, "");
      },
      [](const relay_status_query&) { return relay_status{}; },
      [](const peer_up&) {},
      [](const peer_down&) {},
      [](const tick&) {},
  };
}

void lie_at(relay_lab& lab, const std::string& site) {
  lab.impostors[site] = [&lab, site](trusted_node_config config) {
    return lab.w.spawn(site, liar, std::move(config));
  };
}

} // namespace

TEST_CASE("one of two nodes flips bits: no key, an alarm, never a wrong key") {
  diamond lab{2};
  lie_at(lab, "n1");
  lab.start();
  lab.distil(200);
  lab.w.advance(1min);
  CHECK(lab.origin().ready == 0);
  CHECK(lab.far_end().ready == 0);
  CHECK(lab.far_end().mismatches > 0);
  CHECK(lab.deliver().master.material.empty());
  CHECK(std::count_if(
            lab.alarms.begin(), lab.alarms.end(),
            [](auto& x) { return x.find("different keys over n1, n2") != std::string::npos; })
        > 0);
  CHECK(lab.status().last_reason.find("n1, n2") != std::string::npos);
  lab.w.advance(3min);
  check_nothing_is_wrong(lab);
}

TEST_CASE("the only node lies: its keys die and the other way is taken") {
  diamond lab;
  lie_at(lab, "n1");
  lab.start();
  lab.distil(200);
  lab.w.advance(1min);
  CHECK(lab.far_end().mismatches > 0);
  auto x = lab.deliver();
  check_same(x);
  CHECK(x.master.exposed_to == std::vector<site_id>{site_id{"n2"}});
  lab.w.advance(3min);
  check_nothing_is_wrong(lab);
}

TEST_CASE("keys walk four hops, and one hop when the ends share a fibre") {
  std::vector<std::string> names{"s0", "s1", "s2", "s3", "s4"};
  for (size_t hops : {1u, 3u, 4u}) {
    std::vector<std::string> sites(names.begin(), names.begin() + static_cast<long>(hops) + 1);
    std::vector<fibre> fibres;
    for (size_t i = 0; i < hops; ++i)
      fibres.push_back({link_id{"bob" + std::to_string(i) + "/alice" + std::to_string(i)}, sites[i],
                        sites[i + 1]});
    relay_lab lab{1, sites, fibres};
    lab.start();
    lab.distil(200);
    lab.w.advance(10s);
    INFO(hops << " hops");
    auto x = lab.deliver();
    check_same(x);
    CHECK(x.slave.exposed_to.size() == hops - 1);
    lab.w.advance(2min);
    check_nothing_is_wrong(lab);
  }
}

TEST_CASE("a site that asks for what it may not gets nothing and costs nothing") {
  fig6 lab;
  lab.begin();
  lab.w.advance(10s);
  auto before = lab.pool("n1", co_n1.link);
  relay_keys good;
  good.route.block = {lab.link(), 1, link_end::bob, 1000, 3};
  good.route.path = {site_id{"co"}, site_id{"n1"}, site_id{"dc3"}};
  for (uint64_t i = 0; i < 4; ++i)
    good.keys.push_back(make_key_id(co_n1.link, 1, link_end::bob, 190 + i));
  auto asked = [&](const std::string& from, const relay_keys& x) {
    auto answer = lab.w.ask_as<wrapped_keys>(from, lab.nodes["n1"], x);
    return answer ? answer->code : to_failure(answer.error()).code;
  };
  auto changed = [&](auto change) {
    auto x = good;
    change(x);
    return asked("co", x);
  };
  // Nobody assigned these.
  CHECK(asked("co", good) == ec::unknown_key);
  CHECK(asked("dc3", good) == ec::not_allowed);
  CHECK(asked("operator", good) == ec::not_allowed);
  auto invalid = ec::invalid_argument;
  CHECK(changed([](auto& x) { x.hop = 0; }) == invalid);
  CHECK(changed([](auto& x) { x.hop = 2; }) == ec::not_allowed);
  CHECK(changed([](auto& x) { x.hop = 3; }) == invalid);
  CHECK(changed([](auto& x) { x.route.path = {}; }) == invalid);
  CHECK(changed([](auto& x) { x.route.path[2] = site_id{"co"}; }) == invalid);
  CHECK(changed([](auto& x) { x.route.path[2] = site_id{"dc9"}; }) == invalid);
  CHECK(changed([](auto& x) { x.route.path.resize(20, site_id{"co"}); }) == invalid);
  CHECK(changed([](auto& x) { x.route.path.resize(2); }) == invalid);
  CHECK(changed([](auto& x) { x.route.block.link = link_id{"co/dc9"}; }) == ec::unknown_link);
  CHECK(changed([](auto& x) { x.route.block.count = 0; }) == invalid);
  CHECK(changed([](auto& x) { x.route.block.count = 5000; }) == invalid);
  CHECK(changed([](auto& x) { x.keys.pop_back(); }) == invalid);
  CHECK(changed([](auto& x) { x.keys[1] = x.keys[0]; }) == invalid);
  CHECK(changed([](auto& x) { x.keys[1] = make_key_id(n1_dc3.link, 1, link_end::bob, 190); })
        == invalid);
  auto dropped = [&](const std::string& from, std::vector<key_id> keys) {
    auto answer = lab.w.ask_as<accepted>(from, lab.nodes["n1"], drop_relay{{}, std::move(keys)});
    return answer ? ec::none : to_failure(answer.error()).code;
  };
  CHECK(dropped("operator", good.keys) == ec::not_allowed);
  CHECK(dropped("dc3", good.keys) == invalid);
  CHECK(dropped("co", {}) == invalid);
  CHECK(dropped("co", good.keys) == ec::none); // Not assigned: nothing happens.
  CHECK(lab.pool("n1", co_n1.link).ready == before.ready);
  auto announced = [&](const std::string& from, announce_session x) {
    auto answer = lab.w.ask_as<session_announced>(from, lab.nodes["dc3"], x);
    return answer ? (answer->taken ? ec::none : ec::stale_epoch) : to_failure(answer.error()).code;
  };
  announce_session session{lab.link(), 1, true, {good.route.path}};
  CHECK(announced("n1", session) == ec::not_allowed);
  session.link = link_id{"co/dc9"};
  CHECK(announced("co", session) == ec::unknown_link);
  session.link = lab.link();
  session.paths = {{site_id{"co"}, site_id{"n1"}}};
  CHECK(announced("co", session) == invalid);
  session.paths = {};
  CHECK(announced("co", session) == invalid);
  session.paths = {{site_id{"co"}, site_id{"n2"}, site_id{"dc3"}}};
  CHECK(announced("co", session) == ec::stale_epoch);
  check_same(lab.deliver());
}

TEST_CASE("the far end takes only what the origin announced to it itself") {
  fig6 lab;
  lab.begin();
  lab.w.advance(10s);
  relay_keys x;
  x.hop = 2;
  x.route.block = {lab.link(), 1, link_end::bob, 1000, 3};
  x.route.path = {site_id{"co"}, site_id{"n1"}, site_id{"dc3"}};
  for (uint64_t i = 0; i < 4; ++i)
    x.keys.push_back(make_key_id(n1_dc3.link, 1, link_end::bob, 190 + i));
  auto answer_to = [&](auto change) {
    auto y = x;
    change(y.route);
    auto answer = lab.w.ask_as<wrapped_keys>("n1", lab.nodes["dc3"], y);
    REQUIRE(answer);
    CHECK(answer->failed_hop == 2);
    return answer->code;
  };
  CHECK(answer_to([](auto&) {}) == ec::unknown_key); // Only the pads are wrong.
  CHECK(answer_to([](auto& r) { r.block.session = 2; }) == ec::stale_epoch);
  CHECK(answer_to([](auto& r) { r.block.session = 0; }) == ec::stale_epoch);
  CHECK(answer_to([](auto& r) { r.share = 1; }) == ec::not_allowed);
  CHECK(answer_to([](auto& r) { r.block.first = 0; }) == ec::cancelled);
  CHECK(lab.far_end().session == 1);
}

TEST_CASE("an origin has a quota, and it grows again with time") {
  relay_quota quota{10};
  auto now = time_point{} + 1h;
  site_id co{"co"}, dc1{"dc1"};
  CHECK(quota.take(co, 600, now));
  CHECK_FALSE(quota.take(co, 1, now));
  CHECK(quota.take(dc1, 600, now));
  CHECK(quota.take(co, 50, now + 5s));
  CHECK_FALSE(quota.take(co, 1, now + 5s));
  CHECK_FALSE(quota.take(co, 601, now + 1h)); // A minute's worth at most.
  CHECK(quota.take(co, 600, now + 1h));
}

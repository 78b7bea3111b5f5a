#pragma once

// The story DSL: a scenario test reads like a story; the machinery is in tools/qnfv/simulation.

#include "tools/qnfv/simulation.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace qnfv::test {

using namespace std::chrono_literals;

class lab {
public:
  explicit lab(const std::string& topology, uint64_t seed = 7) : lab(load(topology), seed) {}
  lab(topology x, uint64_t seed, simulation::extras more = {}) : sim_(std::move(x), seed, std::move(more)) {
    sim_.advance(5s); // Everybody joins.
  }

  /// An image of that many seeded bytes in the catalogue.
  void has_image(const std::string& name, size_t size) {
    auto added = sim_.add_image(name, size);
    INFO((added ? "" : added.error().text));
    REQUIRE(added);
  }

  /// Orders the delivery; its id.
  order_id deploy(const std::string& image, const std::string& site) {
    auto placed = sim_.deliver(image, site_id{site});
    INFO((placed ? "" : placed.error().text));
    REQUIRE(placed);
    return placed->id;
  }

  order see(const order_id& id) {
    auto x = sim_.order_now(id);
    if (!x)
      FAIL(describe(x.error()));
    return *x;
  }

  /// Waits for an order's state; fails the test if it never comes.
  void until(const order_id& id, order_state state, duration limit = 2h) {
    order last;
    auto reached = sim_.until(
      [&] {
        last = see(id);
        return last.state == state;
      },
      limit, 20ms);
    INFO(id.value << " is " << to_string(last.state) << ": " << last.reason);
    REQUIRE(reached);
  }

  /// Waits until the order has ended, one way or the other.
  order ended(const order_id& id, duration limit = 3h) {
    REQUIRE(sim_.until([&] { return is_final(see(id).state); }, limit, 250ms));
    return see(id);
  }

  link_status link(size_t i = 0) {
    auto all = sim_.ask<link_list>(sim_.orchestrator(), links_query{});
    if (!all)
      FAIL(describe(all.error()));
    REQUIRE(i < all->links.size());
    return all->links[i];
  }

  void until_link(link_state state, duration limit = 2h) {
    REQUIRE(sim_.until([&] { return link().state == state; }, limit, 1s));
  }

  pool_status pool(const std::string& site) {
    auto all = sim_.ask<keys_status>(sim_.role<key_pool_actor>(site_id{site}, "key_pool"),
                                     keys_status_query{});
    REQUIRE(all);
    REQUIRE(all->pools.size() == 1);
    return all->pools[0];
  }

  std::vector<vnf_info> vnfs() {
    auto all = sim_.ask<vnf_list>(sim_.orchestrator(), list_vnfs{});
    REQUIRE(all);
    return all->vnfs;
  }

  /// Nothing that must hold is broken; `quiet`: nor what must hold when nothing is under way.
  void check_invariants(bool quiet = true) {
    auto found = sim_.violations(quiet);
    for (auto& x : found)
      UNSCOPED_INFO(x);
    CHECK(found.empty());
  }

  simulation& sim() { return sim_; }

  static topology load(const std::string& path) {
    auto x = load_topology(std::string{QNFV_SOURCE_DIR} + "/" + path);
    if (!x)
      throw std::runtime_error(x.error().text);
    return *x;
  }

private:
  simulation sim_;
};

inline const char* two_site = "config/topologies/two-site.json";

} // namespace qnfv::test

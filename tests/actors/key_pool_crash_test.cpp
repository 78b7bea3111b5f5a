// A fixed script over two pools, with the power cut at each write, sync, rename and message of either
// site in turn: whatever was promised before it holds after it.

#include "tests/support/two_pools.hpp"

#include <catch2/catch.hpp>

using namespace qnfv;
using namespace qnfv::test;

namespace {

enum class point { write, sync, rename, message };

struct cut_plan {
  std::string site;
  point at = point::write;
  uint64_t n = 0; ///< The n-th of its kind, from 1.
};

struct outcome {
  bool reached = false;
  size_t deliveries = 0;
  std::vector<std::string> found;
};

/// Counts messages of one site and cuts it off with the n-th.
class counted_network : public network {
public:
  counted_network(std::string site, uint64_t n) : site_(std::move(site)), n_(n) {}
  passage judge(const site_id& from, const site_id& to,
                const caf::type_erased_tuple&) override {
    passage out;
    out.delay = std::chrono::milliseconds{2};
    if (from.value == site_ && ++seen_ == n_)
      cut = true;
    out.drop = cut && (from.value == site_ || to.value == site_);
    return out;
  }
  bool cut = false;

private:
  std::string site_;
  uint64_t n_;
  uint64_t seen_ = 0;
};

outcome run(const cut_plan& plan, uint64_t seed) {
  outcome out;
  two_pools p{seed, 0};
  auto net = std::make_shared<counted_network>(
    plan.site, plan.at == point::message ? plan.n : UINT64_MAX);
  for (auto* site : {"co", "dc1"})
    std::const_pointer_cast<environment>(p.w.site(site))->network = net;
  uint64_t seen = 0;
  bool dark = false;
  if (plan.at != point::message)
    p.files(plan.site).before([&](memory_storage::operation x, const std::string&) {
      auto kind = x == memory_storage::operation::write  ? point::write
                  : x == memory_storage::operation::sync ? point::sync
                                                         : point::rename;
      if (kind == plan.at && ++seen == plan.n)
        dark = true;
      return !dark;
    });
  auto pass = [&](int steps, duration step = 2ms) {
    for (int i = 0; i < steps; ++i) {
      p.w.advance(step);
      if (out.reached || !(dark || net->cut))
        continue;
      out.reached = true;
      net->cut = dark = false;
      p.crash(plan.site);
    }
  };
  // The script: keys for both ends, deliveries that either end begins.
  p.ingest(10);
  pass(30);
  p.ingest(8, false, link_end::alice);
  pass(20);
  p.deliver(2, "co");
  p.deliver(1, "dc1");
  pass(40);
  // A session whose keys a trusted node saw.
  p.session = 2;
  p.next_first = 0;
  p.exposed_to = {site_id{"n1"}};
  p.ingest(8);
  pass(30);
  p.deliver(7, "co");
  pass(60);
  pass(60, 1s);
  // No more cuts: everything comes to rest.
  p.files(plan.site).before({});
  *net = counted_network{plan.site, UINT64_MAX};
  p.w.advance(120s);
  out.deliveries = p.book->deliveries.size();
  out.found = p.book->violations;
  auto co = p.status("co"), dc1 = p.status("dc1");
  if (co.ready != dc1.ready || co.kept != dc1.kept)
    out.found.push_back("I15 ready " + std::to_string(co.ready) + " and "
                        + std::to_string(dc1.ready) + ", kept " + std::to_string(co.kept) + " and "
                        + std::to_string(dc1.kept));
  if (co.assigned + dc1.assigned + co.reserved + dc1.reserved + co.stored + dc1.stored != 0)
    out.found.push_back("I34 something never ended");
  if (!co.trouble.empty() || !dc1.trouble.empty())
    out.found.push_back("I12 trouble: " + co.trouble + dc1.trouble);
  reserve_keys ask{the_link, static_cast<uint32_t>(co.ready_here), key_bits, {}, {"m", {"s"}}};
  auto rest = p.w.ask_as<key_grants>("co", p.actors["co"], ask);
  if (!rest && co.ready_here > 0)
    out.found.push_back("I34 unused keys cannot be had: " + describe(rest.error()));
  for (auto& key : rest ? rest->keys : std::vector<key_grant>{})
    if (key.exposed_to != (session_of(key.id) == 2 ? p.exposed_to : std::vector<site_id>{}))
      out.found.push_back("I44 it is forgotten who saw " + to_string(key.id));
  for (auto* site : {"co", "dc1"})
    if (auto ok = verify_audit(p.files(site), "audit"); !ok)
      out.found.push_back("I30 " + ok.error().text);
  return out;
}

} // namespace

TEST_CASE("the power may go at any write, sync, rename or message, and every promise holds") {
  const std::pair<point, const char*> points[] = {{point::write, "write"},
                                                  {point::sync, "sync"},
                                                  {point::rename, "rename"},
                                                  {point::message, "message"}};
  size_t cuts = 0, deliveries = 0;
  for (auto* site : {"co", "dc1"})
    for (auto& [at, name] : points)
      for (uint64_t n = 1;; ++n) {
        auto x = run({site, at, n}, n);
        INFO("at " << name << " " << n << " of " << site);
        for (auto& line : x.found)
          UNSCOPED_INFO(line);
        REQUIRE(x.found.empty());
        deliveries += x.deliveries;
        if (!x.reached)
          break;
        ++cuts;
      }
  WARN(cuts << " cuts, " << deliveries << " deliveries");
  CHECK(cuts > 100);
  CHECK(deliveries > cuts);
}

// What a key over trusted nodes costs, against a key that two neighbours hand out: the same actors on
// real threads and the real clock, all sites in this process, stores that keep keys in memory. No disk
// and no network take part, so the figures compare the work, not the waiting.

#include "actors/key_pool/key_pool.hpp"
#include "actors/trusted_node/trusted_node.hpp"
#include "runtime/crypto/hkdf.hpp"
#include "runtime/system/gate.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/meter.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <thread>

namespace qnfv {

namespace {

using namespace std::chrono;

struct bench_system_config : caf::actor_system_config {
  bench_system_config() { register_wire(*this); }
};

/// A chain of sites s0 - s1 - ... with full pools between neighbours.
class chain {
public:
  chain(size_t hops, uint32_t keys) : hops_(hops), keys_(keys) {
    for (size_t i = 0; i <= hops; ++i) {
      auto env = std::make_shared<environment>();
      env->site = name(i);
      env->clock = make_real_clock();
      env->random = make_system_random();
      sites_.push_back(env);
      doors_.push_back(std::make_shared<gates>(system_, env));
    }
    for (size_t i = 0; i <= hops; ++i)
      start_pool(i);
    for (size_t i = 0; i <= hops; ++i)
      join(i, "key_pool");
    for (size_t i = 0; i < hops; ++i)
      distil(i);
  }

  ~chain() {
    for (auto& x : actors_) {
      self_->monitor(caf::actor_cast<caf::actor>(x));
      caf::anon_send_exit(x, caf::exit_reason::kill);
    }
    for (size_t i = 0; i < actors_.size(); ++i)
      self_->receive([](const caf::down_msg&) {}, caf::after(seconds{5}) >> [] {});
  }

  /// Relays until the far pool has `keys`.
  measured relay() {
    meter m;
    for (size_t i = 0; i <= hops_; ++i)
      start_node(i);
    for (size_t i = 0; i <= hops_; ++i)
      join(i, "trusted_node");
    auto all = wait(hops_, far_link(), keys_);
    return m.stop(all.ready + all.kept + all.consumed);
  }

  /// Keys reserved at one end of the first link and claimed at the other, `batch` in a request and
  /// eight requests at a time.
  measured deliver(uint32_t batch) {
    auto env = sites_[1];
    auto claiming = std::make_shared<caf::actor>();
    auto done = std::make_shared<std::promise<uint64_t>>();
    struct counting {
      uint32_t to_ask, to_end;
      std::atomic<uint64_t> delivered{0};
      caf::event_based_actor* slave = nullptr;
    };
    auto n = std::make_shared<counting>();
    n->to_ask = n->to_end = keys_ / batch;
    *claiming = spawn_at(system_, env, [n](instrumented<caf::event_based_actor>* self) -> caf::behavior {
      n->slave = self;
      return {[](const continuation& x) { x.run(); }};
    });
    actors_.push_back(caf::actor_cast<caf::strong_actor_ptr>(*claiming));
    auto master = [this, n, claiming, done, batch](instrumented<caf::event_based_actor>* self) -> caf::behavior {
      auto ended = [n, done] {
        if (--n->to_end == 0)
          done->set_value(n->delivered);
      };
      auto claim = [this, n, ended, self](const std::vector<key_id>& ids) {
        n->slave->request(pools_[1], seconds{30}, claim_keys{hop_link(0), ids, "a", "b"})
          .then(
            [n, ended, self](key_grants& x) {
              n->delivered += x.keys.size();
              continue_at(caf::actor_cast<caf::actor>(self), ended);
            },
            [ended, self](const caf::error&) { continue_at(caf::actor_cast<caf::actor>(self), ended); });
      };
      auto ask = std::make_shared<std::function<void()>>();
      *ask = [this, n, ask, ended, claim, claiming, self, batch] {
        if (n->to_ask == 0)
          return;
        --n->to_ask;
        reserve_keys x;
        x.link = hop_link(0);
        x.count = batch;
        x.request.value = self->env().random->bytes_of<std::array<uint8_t, 16>>();
        x.users = {"a", {"b"}};
        self->request(pools_[0], seconds{30}, x)
          .then(
            [claiming, claim, ask](key_grants& grants) {
              std::vector<key_id> ids;
              for (auto& grant : grants.keys)
                ids.push_back(grant.id);
              continue_at(*claiming, [claim, ids] { claim(ids); });
              (*ask)();
            },
            [ended, ask](const caf::error&) {
              ended();
              (*ask)();
            });
      };
      for (int i = 0; i < 8; ++i)
        self->send(self, continuation{*ask});
      return {[](const continuation& x) { x.run(); }};
    };
    meter m;
    auto handle = spawn_at(system_, sites_[0], master);
    actors_.push_back(caf::actor_cast<caf::strong_actor_ptr>(handle));
    return m.stop(done->get_future().get());
  }

private:
  static site_id name(size_t i) { return site_id{"s" + std::to_string(i)}; }
  static link_id hop_link(size_t i) {
    return link_id{"bob" + std::to_string(i) + "/alice" + std::to_string(i)};
  }
  link_id far_link() const { return link_id{"s0/" + name(hops_).value}; }
  uint32_t hop_keys_wanted() const { return keys_ + keys_ / 16 + 1024; }

  void add(key_pool_config& config, size_t site, const link_id& link, size_t bob, size_t alice) {
    if (site != bob && site != alice)
      return;
    auto peer = name(site == bob ? alice : bob);
    config.links.push_back({link, site == bob ? link_end::bob : link_end::alice, peer,
                            doors_[site]->to<key_pool_actor>(peer, "key_pool"), 1,
                            hkdf_sha256(byte_view{std::string_view{"bench"}}, {},
                                        byte_view{std::string_view{link.value}}, 2048)});
  }

  void start_pool(size_t i) {
    key_pool_config config;
    config.site = name(i);
    config.pool_keys_max = 4 * hop_keys_wanted();
    for (size_t h = 0; h < hops_; ++h)
      add(config, i, hop_link(h), h, h + 1);
    add(config, i, far_link(), 0, hops_);
    pools_.push_back(spawn_at(system_, sites_[i], key_pool, config));
    actors_.push_back(caf::actor_cast<caf::strong_actor_ptr>(pools_.back()));
    publish(i, "key_pool");
  }

  void start_node(size_t i) {
    trusted_node_config config;
    config.site = name(i);
    config.key_pool = doors_[i]->to<key_pool_actor>(config.site, "key_pool");
    virtual_link ends{far_link(), name(0), name(hops_)};
    config.links.push_back(ends);
    if (i == 0)
      config.supplies.push_back({ends, 1, keys_, keys_, 64});
    for (size_t h = 0; h < hops_; ++h)
      config.hops.push_back({hop_link(h), name(h), name(h + 1)});
    for (size_t other = 0; other <= hops_; ++other)
      if (talk(i, other))
        config.others[name(other)] = doors_[i]->to<trusted_node_actor>(name(other), "trusted_node");
    config.hop_floor = 0;
    config.keys_per_s_per_origin = 1e9;
    config.look_ms = 100;
    auto handle = spawn_at(system_, sites_[i], trusted_node, config);
    actors_.push_back(caf::actor_cast<caf::strong_actor_ptr>(handle));
    publish(i, "trusted_node");
  }

  bool talk(size_t a, size_t b) const {
    return a != b && (a + 1 == b || b + 1 == a || a + b == hops_) && (a + b != hops_ || a == 0 || b == 0
                                                                      || a + 1 == b || b + 1 == a);
  }
  void publish(size_t i, const std::string& role) {
    for (auto& door : doors_)
      door->retarget(name(i), role, actors_.back());
    last_[{i, role}] = actors_.back();
  }
  void join(size_t i, const std::string& role) {
    for (size_t other = 0; other <= hops_; ++other)
      if (talk(i, other))
        caf::anon_send(caf::actor_cast<caf::actor>(last_[{i, role}]), peer_up{name(other), 1});
  }

  void distil(size_t hop) {
    for (uint32_t first = 0; first < hop_keys_wanted(); first += 1024) {
      block_id block{hop_link(hop), 1, link_end::bob, first, 1024};
      secret bits{1024 * key_bytes};
      sites_[0]->random->fill(bits.data(), bits.size());
      for (auto end : {hop, hop + 1})
        spawn_at(system_, sites_[end],
                 [to = pools_[end], block, bits](instrumented<caf::event_based_actor>* self) {
                   self->send(to, key_block{block, bits, {}});
                 });
      // One after the other: a pool takes no lower numbers than it has seen.
      wait(hop, hop_link(hop), first + 900);
      wait(hop + 1, hop_link(hop), first + 900);
    }
  }

  pool_status wait(size_t site, const link_id& link, uint64_t keys) {
    pool_status out;
    for (auto end = steady_clock::now() + seconds{20}; steady_clock::now() < end;) {
      self_->request(pools_[site], seconds{10}, pool_status_query{link})
        .receive([&](const pool_status& x) { out = x; }, [](const caf::error&) {});
      if (out.ready >= keys)
        return out;
      std::this_thread::sleep_for(milliseconds{5});
    }
    throw command_error{{ec::internal, link.value + " got no further than "
                                         + std::to_string(out.ready) + " keys in 20 s" + trouble()}};
  }

  std::string trouble() {
    std::string out;
    auto node = last_.find({0, "trusted_node"});
    if (node == last_.end())
      return out;
    self_->request(caf::actor_cast<trusted_node_actor>(node->second), seconds{5}, relay_status_query{})
      .receive([&](const relay_status& x) { out = ": " + caf::deep_to_string(x); },
               [](const caf::error&) {});
    return out;
  }

  size_t hops_;
  uint32_t keys_;
  bench_system_config config_;
  caf::actor_system system_{config_};
  caf::scoped_actor self_{system_};
  std::vector<environment_ptr> sites_;
  std::vector<std::shared_ptr<gates>> doors_;
  std::vector<key_pool_actor> pools_;
  std::vector<caf::strong_actor_ptr> actors_;
  std::map<std::pair<size_t, std::string>, caf::strong_actor_ptr> last_;
};

void bench_relay(size_t hops_max, uint32_t keys, bool json) {
  protect_secrets(64u << 20);
  std::vector<std::pair<std::string, measured>> rows;
  auto show = [&](std::string what, measured x) {
    rows.emplace_back(std::move(what), x);
    if (!json)
      std::printf("%-18s%9.0f%9.1f us%10.2f\n", rows.back().first.c_str(), x.per_s,
                  x.cpu_us, x.cpu_us / rows.front().second.cpu_us);
    std::fflush(stdout);
  };
  if (!json)
    std::printf("%u keys, all sites in one process, keys in memory\n"
                "                     KEYS/S     CPU/KEY OF DIRECT\n",
                keys);
  for (uint32_t batch : {1u, 64u})
    show("direct, by " + std::to_string(batch), chain{1, keys}.deliver(batch));
  for (size_t hops = 1; hops <= hops_max; ++hops)
    show(std::to_string(hops) + (hops == 1 ? " hop" : " hops"), chain{hops, keys}.relay());
  if (!json)
    return;
  std::printf("{\"keys\":%u,\"stores\":\"memory\",\"rows\":[", keys);
  for (auto& [what, x] : rows)
    std::printf("%s{\"what\":\"%s\",\"keys_per_s\":%.0f,\"cpu_us_per_key\":%.2f,\"of_direct\":%.3f}",
                what == rows.front().first ? "" : ",", what.c_str(), x.per_s, x.cpu_us,
                x.cpu_us / rows.front().second.cpu_us);
  std::printf("]}\n");
}

} // namespace

void add_bench_relay(CLI::App& bench, command_settings& settings) {
  struct choice {
    size_t hops = 4;
    uint32_t keys = 20000;
  };
  auto x = std::make_shared<choice>();
  auto* relay = bench.add_subcommand("relay", "Keys over 1 to N hops, against keys of one link");
  relay->add_option("--hops", x->hops, "The longest chain")->capture_default_str()->check(CLI::Range(1, 8));
  relay->add_option("--keys", x->keys, "Keys per measurement")->capture_default_str()->check(
    CLI::Range(1000, 200000));
  relay->footer("Example:  qnfv bench relay --hops 2");
  relay->callback([x, &settings] { bench_relay(x->hops, x->keys, settings.json); });
}

} // namespace qnfv

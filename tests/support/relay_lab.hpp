#pragma once

// Sites with real key pools on simulated disks and trusted nodes between them, in virtual time. A
// fault strikes exactly after a step of Fig. 6: the trusted nodes note each one.

#include "actors/trusted_node/trusted_node.hpp"
#include "tests/support/two_pools.hpp"

namespace qnfv::test {

/// Who does not hear whom.
class relay_wire : public network {
public:
  explicit relay_wire(uint64_t seed) : random_(make_seeded_random(seed)) {}
  passage judge(const site_id& from, const site_id& to,
                const caf::type_erased_tuple&) override {
    passage out;
    out.drop = away.count(from.value) > 0 || away.count(to.value) > 0;
    // In order, as TCP delivers.
    auto& last = last_[{from, to}];
    last = std::max(last, now() + from_seconds(0.001 + 0.002 * random_->uniform()));
    out.delay = last - now();
    return out;
  }
  std::set<std::string> away; ///< Crashed, or cut off from everybody.
  std::function<time_point()> now;

private:
  std::shared_ptr<random_source> random_;
  std::map<std::pair<site_id, site_id>, time_point> last_;
};

enum class relay_fault { crash, stop, partition };
inline std::string to_string(relay_fault x) {
  return x == relay_fault::crash ? "crash" : x == relay_fault::stop ? "stop" : "partition";
}

struct relay_lab {
  struct fibre {
    link_id link;
    std::string bob;
    std::string alice;
  };
  struct trap {
    relay_fault fault;
    int step;
    std::string site;
    int nth; ///< Strikes when the step is done for the n-th time.
    bool struck = false;
  };

  world w;
  std::vector<std::string> sites;
  std::vector<fibre> fibres;
  trusted_node_config::supplied_link virtual_one;
  std::shared_ptr<relay_wire> wire;
  std::shared_ptr<key_ledger> book = std::make_shared<key_ledger>();
  std::shared_ptr<random_source> random;
  std::map<std::string, std::unique_ptr<gates>> doors;
  std::map<std::string, key_pool_actor> pools;
  std::map<std::string, trusted_node_actor> nodes;
  std::map<std::string, std::shared_ptr<audit_trail>> trails;
  std::map<link_id, uint64_t> next_first;
  std::vector<std::string> alarms;
  std::map<int, int> steps; ///< How often each was done.
  std::optional<trap> armed;
  /// Starts a trusted node that is not ours.
  std::map<std::string, std::function<trusted_node_actor(trusted_node_config)>> impostors;

  relay_lab(uint64_t seed, std::vector<std::string> all_sites, std::vector<fibre> all_fibres,
            uint32_t paths = 1)
      : w(seed), sites(std::move(all_sites)), fibres(std::move(all_fibres)),
        wire(std::make_shared<relay_wire>(seed)), random(make_seeded_random(seed + 1)) {
    virtual_one.ends = {link_id{sites.front() + "/" + sites.back()}, site_id{sites.front()},
                        site_id{sites.back()}};
    virtual_one.paths = paths;
    virtual_one.keys_low = 40;
    virtual_one.keys_high = 60;
    virtual_one.keys_per_relay = 20;
    wire->now = [this] { return w.now(); };
    for (auto& site : sites) {
      auto env = std::const_pointer_cast<environment>(w.site(site));
      env->network = wire;
      env->recorder = std::make_shared<recorder>(site, 1, recorder::settings{},
                                                 [this](const trace_record& x) { noted(to_event(x)); });
      doors[site] = std::make_unique<gates>(w.system(), env);
    }
  }

  ~relay_lab() { w.end_actors(); }

  void start() {
    for (auto& site : sites) {
      start_pool(site);
      start_node(site);
    }
    for (auto& a : sites)
      tell_up(a);
  }

  const link_id& link() const { return virtual_one.ends.link; }
  bool talk(const std::string& a, const std::string& b) const {
    auto ends = [&](const std::string& x, const std::string& y) {
      return (x == a && y == b) || (x == b && y == a);
    };
    return ends(sites.front(), sites.back())
           || std::any_of(fibres.begin(), fibres.end(),
                          [&](auto& f) { return ends(f.bob, f.alice); });
  }

  // -- the sites --------------------------------------------------------------------------------

  void add_link(key_pool_config& config, const std::string& site, const link_id& link,
                const std::string& bob, const std::string& alice) {
    if (site != bob && site != alice)
      return;
    key_pool_config::link_setting x;
    x.link = link;
    x.end = site == bob ? link_end::bob : link_end::alice;
    x.peer = site_id{site == bob ? alice : bob};
    x.peer_pool = doors[site]->to<key_pool_actor>(x.peer, "key_pool");
    x.secret_issue = 1;
    x.initial_secret = hkdf_sha256(byte_view{std::string_view{"lab"}}, {},
                                   byte_view{std::string_view{link.value}}, 2048);
    config.links.push_back(x);
  }

  void start_pool(const std::string& site) {
    key_pool_config config;
    config.site = site_id{site};
    config.reconcile_s = 10;
    config.confirm_deadline_s = 20;
    config.assigned_ttl_s = 60;
    for (auto& f : fibres)
      add_link(config, site, f.link, f.bob, f.alice);
    add_link(config, site, link(), sites.front(), sites.back());
    auto trail = audit_trail::open(w.site(site)->storage, "audit");
    if (!trail)
      throw std::runtime_error(trail.error().text);
    trails[site] = *trail;
    config.open_store =
        [this, site](const key_pool_config::link_setting& x,
                     key_pool_config::on_actor on_pool) -> result<std::unique_ptr<key_store>> {
      journal_settings s;
      s.link = x.link;
      s.end = x.end;
      s.seal_key = secret{bytes(32, 7)};
      s.segments = 40;
      s.segment_slots = 40;
      auto env = w.site(site);
      auto store = open_journal_store(s, {env->storage, env->random, env->clock, trails[site],
                                          [this](auto work) { disk(std::move(work)); }, on_pool});
      if (!store)
        return store.error();
      return std::unique_ptr<key_store>{
          std::make_unique<watched_key_store>(site + "|" + x.link.value, book, std::move(*store))};
    };
    pools[site] = w.spawn(site, key_pool, config);
    publish(site, "key_pool", caf::actor_cast<caf::strong_actor_ptr>(pools[site]));
  }

  trusted_node_config node_config(const std::string& site) {
    trusted_node_config config;
    config.site = site_id{site};
    config.key_pool = doors[site]->to<key_pool_actor>(config.site, "key_pool");
    config.links.push_back(virtual_one.ends);
    if (site == sites.front())
      config.supplies.push_back(virtual_one);
    for (auto& f : fibres)
      config.hops.push_back({f.link, site_id{f.bob}, site_id{f.alice}});
    for (auto& other : sites)
      if (talk(site, other))
        config.others[site_id{other}] =
            doors[site]->to<trusted_node_actor>(site_id{other}, "trusted_node");
    config.hop_floor = 0;
    config.blocks_under_way = 2;
    config.request_timeout_ms = 500;
    return config;
  }

  void start_node(const std::string& site) {
    auto impostor = impostors.find(site);
    nodes[site] = impostor != impostors.end() ? impostor->second(node_config(site))
                                              : w.spawn(site, trusted_node, node_config(site));
    publish(site, "trusted_node", caf::actor_cast<caf::strong_actor_ptr>(nodes[site]));
  }

  void publish(const std::string& site, const std::string& role, caf::strong_actor_ptr handle) {
    for (auto& [other, door] : doors)
      if (other == site || talk(site, other))
        door->retarget(site_id{site}, role, handle);
  }

  /// `site` has joined with its neighbours, and they with it.
  void tell_up(const std::string& site) {
    for (auto& other : sites)
      if (talk(site, other) && wire->away.count(other) == 0) {
        tell(site, peer_up{site_id{other}, 1});
        tell(other, peer_up{site_id{site}, 1});
      }
  }
  void tell_down(const std::string& site) {
    for (auto& other : sites)
      if (talk(site, other)) {
        tell(site, peer_down{site_id{other}, "silent"});
        tell(other, peer_down{site_id{site}, "silent"});
      }
  }
  template <class Event>
  void tell(const std::string& site, const Event& event) {
    if (pools[site])
      caf::anon_send(pools[site], event);
    if (nodes[site])
      caf::anon_send(nodes[site], event);
  }

  void disk(std::function<void()> work) {
    auto actor = [this, work](instrumented<caf::event_based_actor>* self) -> caf::behavior {
      self->delayed_send(self, from_seconds(0.002 * random->uniform()), continuation{work});
      return {[self](const continuation& x) {
        x.run();
        self->quit();
      }};
    };
    w.spawn("disk", actor);
  }

  // -- faults -----------------------------------------------------------------------------------

  void noted(const trace_event& x) {
    if (x.message == "alarm")
      alarms.push_back(x.site + ": " + x.text);
    if (x.message != "relay" || x.text.rfind("step ", 0) != 0)
      return;
    auto step = x.text[5] - '0';
    ++steps[step];
    if (armed && !armed->struck && armed->step == step && steps[step] == armed->nth) {
      armed->struck = true;
      strike(armed->fault, armed->site);
    }
  }

  /// Now, in the middle of somebody's turn: nothing that is sent later in it leaves the site.
  void strike(relay_fault fault, const std::string& site) {
    if (fault != relay_fault::stop)
      wire->away.insert(site);
    if (fault == relay_fault::partition)
      return;
    caf::anon_send_exit(nodes[site], caf::exit_reason::kill);
    nodes[site] = nullptr;
    publish(site, "trusted_node", nullptr);
    if (fault == relay_fault::stop)
      return;
    caf::anon_send_exit(pools[site], caf::exit_reason::kill);
    pools[site] = nullptr;
    publish(site, "key_pool", nullptr);
  }

  void repair(relay_fault fault, const std::string& site) {
    wire->away.erase(site);
    if (fault == relay_fault::crash) {
      trails[site] = nullptr;
      static_cast<memory_storage&>(*w.site(site)->storage).crash([this] {
        return random->uniform() < 0.5;
      });
      start_pool(site);
    }
    if (fault != relay_fault::partition)
      start_node(site);
    tell_up(site);
  }

  // -- keys -------------------------------------------------------------------------------------

  /// The devices of a fibre distil.
  void distil(const fibre& f, uint32_t count) {
    auto& first = next_first[f.link];
    block_id x{f.link, 1, link_end::bob, first, count};
    first += count;
    bytes raw(count * key_bytes);
    random->fill(raw.data(), raw.size());
    for (auto& site : {f.bob, f.alice})
      if (pools[site])
        w.spawn(site, [to = pools[site], x, raw](instrumented<caf::event_based_actor>* self) {
          self->send(to, key_block{x, secret{raw}, {}});
        });
  }
  void distil(uint32_t count) {
    for (auto& f : fibres)
      distil(f, count);
  }

  pool_status pool(const std::string& site, const link_id& of) {
    auto x = w.ask_as<pool_status>(site, pools[site], pool_status_query{of});
    if (!x)
      throw std::runtime_error("no pool at " + site);
    return *x;
  }
  pool_status origin() { return pool(sites.front(), link()); }
  pool_status far_end() { return pool(sites.back(), link()); }
  virtual_link_status status() {
    auto x = w.ask<relay_status>(nodes[sites.front()], relay_status_query{});
    if (!x || x->links.empty())
      throw std::runtime_error("no relay status");
    return x->links.front();
  }

  /// One key from end to end, with what both ends got. Empty ones if there was none.
  struct delivery {
    key_grant master;
    key_grant slave;
  };
  delivery deliver() {
    reserve_keys ask;
    ask.link = link();
    ask.request.value = random->bytes_of<std::array<uint8_t, 16>>();
    ask.users = {"app-a", {"app-b"}};
    delivery out;
    auto got = w.ask_as<key_grants>(sites.front(), pools[sites.front()], ask);
    if (!got)
      return out;
    out.master = got->keys.front();
    auto claimed = w.ask_as<key_grants>(sites.back(), pools[sites.back()],
                                        claim_keys{link(), {out.master.id}, "app-a", "app-b"});
    if (claimed)
      out.slave = claimed->keys.front();
    return out;
  }

  /// What must hold when nothing is under way.
  std::vector<std::string> violations() {
    auto out = book->violations;
    std::map<link_id, std::vector<pool_status>> ends;
    for (auto& site : sites) {
      auto all = w.ask_as<keys_status>(site, pools[site], keys_status_query{});
      if (!all) {
        out.push_back("I34 the pool of " + site + " does not answer");
        continue;
      }
      for (auto& p : all->pools) {
        ends[p.link].push_back(p);
        if (p.ingested
            != p.stored + p.ready + p.kept + p.reserved + p.assigned + p.consumed + p.destroyed)
          out.push_back("I14 keys of " + p.link.value + " at " + site + " are not conserved");
        if (p.stored + p.reserved + p.assigned > 0)
          out.push_back("I34 " + site + " " + p.link.value + ": " + std::to_string(p.stored)
                        + " stored, " + std::to_string(p.reserved) + " reserved, "
                        + std::to_string(p.assigned) + " assigned for ever");
        if (p.link == link() && site != sites.front() && site != sites.back())
          out.push_back("I44 " + site + " has a pool of the virtual link");
      }
    }
    for (auto& [of, both] : ends)
      if (both.size() != 2 || both[0].ready != both[1].ready || both[0].kept != both[1].kept)
        out.push_back("I15 the ends of " + of.value + " differ: ready "
                      + std::to_string(both[0].ready) + " and " + std::to_string(both[1].ready));
    check_keys(out);
    return out;
  }

private:
  void check_keys(std::vector<std::string>& out) {
    std::set<key_id> pads;
    std::map<key_id, std::set<std::string>> ready;
    for (auto& [key, life] : book->lives) {
      auto of_virtual = belongs_to(key.second, link());
      if (of_virtual && life.recorded == key_state::ready)
        ready[key.second].insert(book->arrived[key]);
      // A hop's keys are reserved for relays only.
      if (!of_virtual
          && (life.recorded == key_state::reserved || life.recorded == key_state::assigned
              || life.recorded == key_state::consumed))
        pads.insert(key.second);
    }
    for (auto& [id, bits] : ready)
      if (bits.size() != 1)
        out.push_back("I22 the ends hold different bits of " + qnfv::to_string(id));
    for (auto& [key, life] : book->lives)
      if (pads.count(key.second) > 0 && rank_of(life.recorded) != 4)
        out.push_back("I21 the pad " + qnfv::to_string(key.second) + " lives on at " + key.first);
  }
};

} // namespace qnfv::test

#include "tools/qnfv/simulation.hpp"

#include "drivers/channel_memory/channel_memory.hpp"
#include "runtime/crypto/hkdf.hpp"
#include "runtime/crypto/sha256.hpp"
#include "runtime/tracing/recorder.hpp"
#include "tools/qnfv/compose.hpp"
#include "tools/qnfv/simulation_site.hpp"

#include <algorithm>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

struct sim_config : caf::actor_system_config {
  sim_config() {
    register_wire(*this);
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
  }
};

} // namespace

/// Feeds every event of every site into one digest, in the order they happen.
struct simulation::hasher {
  sha256 digest;
  std::function<void(const trace_record&)> watcher;
  void add(const trace_record& x) {
    if (watcher)
      watcher(x);
    digest.update(byte_view{x.bytes()});
  }
};

/// Latency of a metropolitan network, in order per direction, as TCP delivers.
class simulation::sim_network : public network {
public:
  explicit sim_network(simulation& sim) : sim_(sim) {}
  passage judge(const site_id& from, const site_id& to,
                const caf::type_erased_tuple&) override {
    passage out;
    if (sim_.cuts_.count(pair_of(from, to)) > 0
        || (sim_.loss_ > 0 && sim_.random_->uniform() < sim_.loss_)) {
      out.drop = true;
      return out;
    }
    auto now = sim_.now();
    auto arrival = now + 1ms + from_seconds(sim_.random_->uniform() * 1e-3);
    auto& last = last_[{from, to}];
    last = std::max(last, arrival);
    out.delay = last - now;
    return out;
  }

private:
  simulation& sim_;
  std::map<std::pair<site_id, site_id>, time_point> last_;
};

class simulation::sim_transport : public transport {
public:
  sim_transport(simulation& sim, site_id here) : sim_(sim), here_(std::move(here)) {}
  void dial(const site_id& to) override {
    auto& here = sim_.sites_.at(here_)->node;
    auto& there = sim_.sites_.at(to)->node;
    auto blocked = [&](const site_id& at, const site_id& other) {
      auto& board = sim_.sites_.at(at)->board;
      return board && board->blocks_connections(other);
    };
    if (there && sim_.cuts_.count(pair_of(here_, to)) == 0 && !blocked(here_, to) && !blocked(to, here_))
      caf::anon_send(caf::actor_cast<caf::actor>(here), peer_reached{to, there});
    else
      caf::anon_send(caf::actor_cast<caf::actor>(here),
                     peer_lost{to, there ? "no answer" : "connection refused"});
  }
  void drop(const site_id& to) override {
    if (sim_.extras_.faults)
      sim_.break_connection(here_, to);
  }
  void keep(const site_id&, const caf::node_id&) override {}

private:
  simulation& sim_;
  site_id here_;
};

simulation::simulation(topology lab, uint64_t seed, extras more)
  : lab_(std::move(lab)), seed_(seed), extras_(std::move(more)) {
  config_ = std::make_unique<sim_config>();
  system_ = std::make_unique<caf::actor_system>(*config_);
  system_->await_actors_before_shutdown(false);
  scheduler_ = &dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  scheduler_->clock().current_time += 1h; // CAF reads time 0 as "unset".
  io_ = std::make_shared<io_pool>(0);
  random_ = make_seeded_random(seed);
  clock_ = make_virtual_clock([s = scheduler_] { return s->clock().now(); }, lab_.time_scale);
  began_ = now();
  network_ = std::make_shared<sim_network>(*this);
  hash_ = std::make_shared<hasher>();
  auto env = std::make_shared<environment>();
  env->site = operator_name;
  env->clock = clock_;
  env->random = random_;
  env->io = io_;
  operator_env_ = env;
  for (auto& site : lab_.sites) {
    // No engine, key server or port of this machine takes part in a simulation.
    for (auto& x : site.vims)
      x.driver = "vim_emulator";
    site.key_server = {};
    sites_[site.site] = std::make_unique<site_world>();
  }
  for (auto& link : lab_.links)
    link.source = "qkd_emulator";
  for (auto& at : lab_.optical.switches) {
    at.driver = "switch_emulator";
    at.emulated = true;
  }
  lab_.optical.northbound.reset();
  for (auto& site : lab_.sites)
    start(site.site);
}

simulation::~simulation() {
  frozen_.clear();
  scheduler_->clock().cancel_all(); // A pending timer keeps its actor alive.
  for (auto& [site, world] : sites_)
    if (world->node)
      caf::anon_send_exit(world->node, caf::exit_reason::kill);
  while (step()) {
  }
  sites_.clear();
  scheduler_->clock().cancel_all();
  while (step()) {
  }
}

void simulation::start(const site_id& site) {
  auto& world = *sites_.at(site);
  auto env = std::make_shared<environment>();
  env->site = site;
  env->clock = clock_;
  env->random = random_;
  env->storage = world.files;
  env->io = io_;
  env->on_disk = [this](std::function<void()> work) {
    // A disk takes its time: what is not yet synced can be lost.
    auto wait = 0.2e-3 + random_->uniform() * 1.3e-3;
    later(from_seconds(wait), std::move(work));
  };
  auto epoch = begin_epoch(*world.files);
  if (!epoch)
    throw std::runtime_error(describe(epoch.error()));
  env->recorder = std::make_shared<recorder>(site.value, static_cast<uint32_t>(*epoch), recorder::settings{},
                                             [this, hash = hash_](const trace_record& x) {
                                               hash->add(x);
                                               if (watcher_.event)
                                                 watcher_.event(x);
                                             });
  env->network = network_;
  env->mailbox_max = lab_.limits.mailbox_max;
  env->quarantine = std::make_shared<quarantine>();
  if (extras_.faults) {
    world.board = std::make_shared<fault_board>(site, clock_, random_, network_);
    env->network = world.board;
    env->storage = make_faulty_storage(world.files, world.board);
    env->clock = make_faulty_clock(clock_, world.board);
    env->on_arrival = [board = world.board](const caf::type_erased_tuple& x) { board->arrived(x); };
    env->on_disk = [this, board = world.board, usual = env->on_disk](std::function<void()> work) {
      auto longer = board->disk_delay();
      if (longer.count() == 0)
        usual(std::move(work));
      else
        later(longer, [usual, work = std::move(work)] { usual(work); });
    };
  }
  world.env = env;
  world.all_gates = std::make_shared<gates>(*system_, env);
  if (!memory_) {
    memory_ = std::make_shared<memory_network>();
    memory_->set_pace([this](size_t n, std::function<void()> then) { pace(n, std::move(then)); });
  }
  world_drivers drivers;
  drivers.start_channel = [this, env, site] {
    channel_memory_config config;
    config.network = memory_;
    return caf::actor_cast<caf::strong_actor_ptr>(spawn_at(*system_, env, channel_memory, config));
  };
  drivers.data_address = [](const site_config& other) { return other.site.value; };
  drivers.start_store = [this, env, records = world.records] {
    store_memory_config config;
    config.records = records;
    return caf::actor_cast<caf::strong_actor_ptr>(spawn_at(*system_, env, store_memory, config));
  };
  bytes seed(32);
  store_be64(seed.data(), seed_);
  auto initial = [seed](const link_id& link) {
    return std::make_pair(1u, hkdf_sha256(seed, {}, byte_view{std::string_view{link.value}}, 2048));
  };
  auto parts = site_parts{*system_, env, *epoch, world.all_gates,
                          std::make_shared<sim_transport>(*this, site), drivers, secret{seed},
                          {hkdf_sha256(seed, {}, byte_view{std::string_view{"seal"}}, 32), initial}, {},
                          world.board,
                          [this, site](fault_kind what, duration span) { strike(site, what, span); },
                          witness()};
  auto node_parts = compose_site(lab_, site, std::move(parts));
  if (!node_parts)
    throw std::runtime_error(describe(node_parts.error()));
  world.node = caf::actor_cast<caf::strong_actor_ptr>(
    spawn_at(*system_, env, qnfv::node, std::move(*node_parts)));
}

/// Bytes take virtual time: the line carries 1 Gbit/s.
void simulation::pace(size_t n, std::function<void()> then) {
  constexpr double bytes_per_s = 125e6;
  later(from_seconds(static_cast<double>(n) / bytes_per_s), std::move(then));
}

void simulation::later(duration wait, std::function<void()> then) {
  auto carrier = [wait, then](instrumented<caf::event_based_actor>* self) -> caf::behavior {
    self->delayed_send(self, wait, continuation{then});
    return {[self](const continuation& x) {
      x.run();
      self->quit();
    }};
  };
  spawn_at(*system_, operator_env_, carrier);
}

bool simulation::step() {
  if (!frozen_.empty() || !held_.empty())
    hold_the_frozen();
  auto watched = watcher_.ingest || watcher_.light || watcher_.granted;
  if (watched ? watched_step() : scheduler_->try_run_once()) {
    ++messages_;
    return true;
  }
  return io_->poll();
}

void simulation::run() {
  while (step()) {
  }
}

void simulation::advance(duration d) {
  auto& clock = scheduler_->clock();
  auto end = clock.now() + d;
  run();
  while (!clock.schedule().empty() && clock.schedule().begin()->first <= end) {
    scheduler_->trigger_timeout();
    run();
  }
  clock.current_time = end;
}

bool simulation::until(const std::function<bool()>& reached, duration limit, duration step) {
  auto end = now() + limit;
  run();
  while (!reached()) {
    if (now() >= end)
      return false;
    advance(std::min<duration>(step, end - now()));
  }
  return true;
}

caf::strong_actor_ptr simulation::find_role(const site_id& site, const std::string& name) {
  return sites_.at(site)->all_gates->handle(site, name);
}

memory_storage& simulation::files(const site_id& site) {
  return *sites_.at(site)->files;
}

environment_ptr simulation::env_ptr(const site_id& site) const {
  return sites_.at(site)->env;
}

result<image_record> simulation::add_image(const std::string& name, size_t size, image_kind kind) {
  bytes content(size);
  make_seeded_random(seed_ ^ std::hash<std::string>{}(name))->fill(content.data(), content.size());
  auto path = "/operator/" + name;
  auto& storage = files(lab_.orchestrator().site);
  if (auto ok = storage.replace(path, content); !ok)
    return ok.error();
  return ask<image_record>(image_store(), qnfv::add_image{image_id{name}, kind, path});
}

result<order> simulation::deliver(const std::string& image, const site_id& site) {
  return ask<order>(orchestrator(), deliver_image{image_id{image}, site});
}

result<order> simulation::order_now(const order_id& id) {
  return ask<order>(orchestrator(), order_query{id});
}

std::string simulation::trace_hash() const {
  return to_hex(sha256{hash_->digest}.finish());
}

void simulation::watch_trace(std::function<void(const trace_record&)> see) {
  hash_->watcher = std::move(see);
}

std::vector<trace_event> simulation::events(const std::string& trace) const {
  std::vector<trace_event> out;
  for (auto& [site, world] : sites_) {
    auto page = world->env->recorder->since({}, trace, SIZE_MAX);
    out.insert(out.end(), page.events.begin(), page.events.end());
  }
  std::stable_sort(out.begin(), out.end(),
                   [](auto& a, auto& b) { return a.unix_ns < b.unix_ns; });
  return out;
}

std::vector<std::string> simulation::violations(bool quiet) {
  std::vector<std::string> out;
  std::map<link_id, std::vector<pool_status>> ends;
  for (auto& [site, world] : sites_) {
    if (!world->node)
      continue;
    auto pools = ask<keys_status>(role<key_pool_actor>(site, "key_pool"), keys_status_query{});
    if (!pools) {
      out.push_back("I34 " + site.value + "/key_pool does not answer: " + describe(pools.error()));
      continue;
    }
    for (auto& p : pools->pools) {
      auto sum = p.stored + p.ready + p.kept + p.reserved + p.assigned + p.consumed + p.destroyed;
      if (sum != p.ingested)
        out.push_back("I14 " + site.value + " " + p.link.value + ": ingested "
                      + std::to_string(p.ingested) + ", accounted for " + std::to_string(sum));
      ends[p.link].push_back(p);
    }
  }
  if (quiet)
    for (auto& [link, both] : ends)
      if (both.size() == 2 && both[0].ready != both[1].ready)
        out.push_back("I15 " + link.value + ": ready " + std::to_string(both[0].ready) + " and "
                      + std::to_string(both[1].ready));
  if (!sites_.at(lab_.orchestrator().site)->node)
    return out;
  auto orders = ask<order_list>(orchestrator(), list_orders{});
  auto vnfs = ask<vnf_list>(orchestrator(), list_vnfs{});
  if (!orders || !vnfs) {
    out.push_back("I34 the orchestrator does not answer");
    return out;
  }
  std::set<key_id> keys;
  std::map<vnf_id, const order*> wanted;
  for (auto& x : orders->orders) {
    if (x.key != key_id{} && !keys.insert(x.key).second)
      out.push_back("I1 key " + to_string(x.key) + " protects two images");
    if (x.state == order_state::running && x.site_digest != x.digest)
      out.push_back("I4 " + x.id.value + " runs other bytes than the catalogue's");
    wanted[x.vnf] = &x;
  }
  for (auto& vnf : vnfs->vnfs) {
    auto i = wanted.find(vnf.vnf);
    bool ended_badly = i != wanted.end() && is_final(i->second->state)
                       && i->second->state != order_state::running;
    if (quiet && ended_badly)
      out.push_back("I41 " + vnf.vnf.value + " runs, but " + i->second->id.value + " is "
                    + to_string(i->second->state));
  }
  if (quiet)
    for (auto& [site, world] : sites_)
      for (auto* folder : {"images", "vim", "vim/images"})
        for (auto& file : world->files->list(folder))
          if (file.size() > 5 && file.compare(file.size() - 5, 5, ".part") == 0)
            out.push_back("I41 " + site.value + " keeps " + folder + "/" + file);
  auto runs = [&](const site_id& site, const std::string& image) {
    return std::any_of(vnfs->vnfs.begin(), vnfs->vnfs.end(),
                       [&](auto& vnf) { return vnf.site == site && vnf.vim_image == image; });
  };
  if (quiet)
    for (auto& [site, world] : sites_)
      for (auto& file : world->files->list("vim"))
        if (file.size() > 4 && file.compare(file.size() - 4, 4, ".img") == 0 && !runs(site, "vim/" + file))
          out.push_back("I41 " + site.value + " keeps vim/" + file + ", and nothing runs from it");
  return out;
}

} // namespace qnfv

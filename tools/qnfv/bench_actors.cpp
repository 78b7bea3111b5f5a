// What the message trace costs: actors that do nothing but talk, with a recorder and without one, in
// turns, so that both have the same machine. The messages are a delivery's own, transfer_offer and its
// answer. They come as fast as two actors can talk, so the file may not keep up: what is lost then is
// counted in it, and shown here.

#include "runtime/deployment/gateway.hpp"
#include "runtime/messages/images.hpp"
#include "runtime/system/gate.hpp"
#include "runtime/tls/pki.hpp"
#include "runtime/tracing/recorder.hpp"
#include "tools/qnfv/bench_actors.hpp"
#include "tools/qnfv/meter.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <stdlib.h>

namespace qnfv {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

using server_actor = actor_of<caf::result<transfer_accepted>(transfer_offer)>;

constexpr uint64_t in_flight = 16;
const site_id here{"co"}, there{"dc1"};

struct server_state {
  static inline const char* name = "mano_gateway";
};

server_actor::behavior_type server(stateful<server_actor, server_state>*) {
  return {[](const transfer_offer& x) { return transfer_accepted{x.transfer}; }};
}

server_actor::behavior_type bare_server(server_actor::pointer) {
  return {[](const transfer_offer& x) { return transfer_accepted{x.transfer}; }};
}

transfer_offer realistic_offer() {
  transfer_offer x;
  x.order = order_id{"order-17"};
  x.image = image_id{"firewall"};
  x.digest = std::string(64, 'a');
  x.size_bytes = 769'000'000;
  x.link = link_id{"bob1/alice1"};
  x.vnf = vnf_id{"firewall-17"};
  return x;
}

struct talk {
  server_actor with;
  uint64_t left = 0; ///< Requests not sent yet,
  uint64_t open = 0; ///< and not answered.
  std::shared_ptr<std::promise<uint64_t>> failed;
  uint64_t failures = 0;
};

template <class Self>
void ask_on(Self* self, const std::shared_ptr<talk>& x) {
  while (x->left > 0 && x->open < in_flight) {
    --x->left;
    ++x->open;
    auto next = [self, x] {
      --x->open;
      ask_on(self, x);
    };
    self->request(x->with, 10s, realistic_offer())
      .then([next](const transfer_accepted&) { next(); },
            [next, x](const caf::error&) {
              ++x->failures;
              next();
            });
  }
  if (x->left == 0 && x->open == 0 && x->failed)
    std::exchange(x->failed, nullptr)->set_value(x->failures);
}

/// Asks from inside a handler, as every actor does.
template <class Self>
caf::behavior asker(Self* self, server_actor with, uint64_t requests,
                    std::shared_ptr<std::promise<uint64_t>> failed) {
  auto x = std::make_shared<talk>(talk{std::move(with), requests, 0, std::move(failed)});
  return {[self, x](const list_orders&) { ask_on(self, x); }};
}

/// A folder that goes with its owner.
struct scratch {
  scratch() {
    auto pattern = (fs::temp_directory_path() / "qnfv-bench-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      throw command_error{{ec::storage_failed, pattern + ": cannot be made"}};
    path = pattern;
  }
  ~scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  std::string path;
};

environment_ptr make_site(const site_id& name, const std::string& trace_file) {
  auto env = std::make_shared<environment>();
  env->site = name;
  env->clock = make_real_clock();
  recorder::settings trace;
  trace.file = trace_file;
  if (!trace_file.empty())
    env->recorder = std::make_shared<recorder>(name.value, 1, trace, recorder::watcher{});
  return env;
}

/// One way for two actors to talk; run() asks so many times.
class lane {
public:
  virtual ~lane() = default;
  virtual measured run(uint64_t requests) = 0;
  virtual std::vector<const environment*> sites() const = 0;

protected:

  /// A request and its answer are two messages.
  template <class Start>
  static measured measure(uint64_t requests, Start start) {
    auto failed = std::make_shared<std::promise<uint64_t>>();
    auto answer = failed->get_future();
    meter m;
    caf::actor asking = start(failed);
    caf::anon_send(asking, list_orders{});
    auto ended = answer.wait_for(120s) == std::future_status::ready;
    auto out = m.stop(2 * requests);
    caf::anon_send_exit(asking, caf::exit_reason::kill);
    if (!ended || answer.get() > 0)
      throw command_error{{ec::internal, "the actors did not answer each other"}};
    return out;
  }
};

struct local_config : caf::actor_system_config {
  local_config() { register_wire(*this); }
};

/// In one process. `bare`: CAF's own actors, without what the project adds.
class local_lane : public lane {
public:
  local_lane(const std::string& trace_file, bool bare) : env_(make_site(here, trace_file)), bare_(bare) {
    server_ = bare ? system_.spawn(bare_server) : spawn_at(system_, env_, server);
  }
  ~local_lane() override { caf::anon_send_exit(server_, caf::exit_reason::kill); }

  measured run(uint64_t requests) override {
    return measure(requests, [&](auto failed) -> caf::actor {
      if (bare_)
        return system_.spawn(asker<caf::event_based_actor>, server_, requests, failed);
      return spawn_at(system_, env_, asker<instrumented<caf::event_based_actor>>, server_, requests, failed);
    });
  }
  std::vector<const environment*> sites() const override { return {env_.get()}; }

private:
  local_config config_;
  caf::actor_system system_{config_};
  environment_ptr env_;
  bool bare_;
  server_actor server_;
};

struct remote_config : caf::actor_system_config {
  explicit remote_config(const site_id& site) {
    register_wire(*this);
    configure_network(*this, site);
  }
};

/// Two sites with a gateway each, over TLS on loopback.
class remote_lane : public lane {
public:
  remote_lane(const std::string& folder, const std::string& pki, bool traced)
    : co_(make_site(here, traced ? folder + "/co.jsonl" : "")),
      dc1_(make_site(there, traced ? folder + "/dc1.jsonl" : "")) {
    server_ = spawn_at(far_, dc1_, server);
    gateway_settings settings;
    settings.site = there;
    settings.listen = "127.0.0.1:0";
    settings.peers = {here};
    settings.tls = tls_files{pki + "/ca.pem", pki + "/dc1.pem", pki + "/dc1.key"};
    door_ = value_or_throw(gateway::open(far_, settings, caf::actor_cast<caf::strong_actor_ptr>(server_), nullptr));
    settings.site = here;
    settings.listen.clear();
    settings.peers = {there};
    settings.tls = tls_files{pki + "/ca.pem", pki + "/co.pem", pki + "/co.key"};
    dialler_ = value_or_throw(gateway::open(near_, settings, nullptr, nullptr));
    gates_ = std::make_unique<gates>(near_, co_);
    gates_->retarget(there, "mano_gateway",
                     value_or_throw(dialler_->connect(there, "127.0.0.1:" + std::to_string(door_->port()))));
  }

  ~remote_lane() override {
    caf::anon_send_exit(server_, caf::exit_reason::kill);
    server_ = nullptr;
    gates_.reset();
    dialler_.reset();
    door_.reset();
  }

  measured run(uint64_t requests) override {
    return measure(requests, [&](auto failed) -> caf::actor {
      return spawn_at(near_, co_, asker<instrumented<caf::event_based_actor>>,
                      gates_->to<server_actor>(there, "mano_gateway"), requests, failed);
    });
  }
  std::vector<const environment*> sites() const override { return {co_.get(), dc1_.get()}; }

private:
  remote_config near_config_{here}, far_config_{there};
  caf::actor_system near_{near_config_}, far_{far_config_};
  environment_ptr co_, dc1_;
  server_actor server_;
  std::unique_ptr<gateway> door_, dialler_;
  std::unique_ptr<gates> gates_;
};

double median(std::vector<double> x) {
  std::nth_element(x.begin(), x.begin() + static_cast<long>(x.size() / 2), x.end());
  return x[x.size() / 2];
}

/// Events of all rounds that were lost on the way to the file, as a share of all; nothing without a trace.
std::optional<double> lost_share(const lane& x) {
  recorder::tally all;
  for (auto* site : x.sites())
    if (site->recorder) {
      all.recorded += site->recorder->events().recorded;
      all.overrun += site->recorder->events().overrun;
    }
  if (all.recorded == 0)
    return std::nullopt;
  return static_cast<double>(all.overrun) / static_cast<double>(all.recorded);
}

struct contest {
  std::string name;
  std::vector<std::pair<std::string, std::unique_ptr<lane>>> lanes; ///< The first is what the others are compared with.
};

void play(contest& x, uint64_t requests, uint32_t rounds, bool json, bool first) {
  for (auto& [name, way] : x.lanes)
    way->run(requests / 10 + 1); // Warm.
  std::vector<std::vector<measured>> rows(x.lanes.size());
  for (uint32_t round = 0; round < rounds; ++round)
    for (size_t i = 0; i < x.lanes.size(); ++i)
      rows[i].push_back(x.lanes[i].second->run(requests));
  if (json)
    std::printf("%s{\"case\":\"%s\",\"rows\":[", first ? "" : ",", x.name.c_str());
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<double> rate, cpu, rate_ratio, cpu_ratio;
    for (uint32_t round = 0; round < rounds; ++round) {
      rate.push_back(rows[i][round].per_s);
      cpu.push_back(rows[i][round].cpu_us);
      rate_ratio.push_back(rows[i][round].per_s / rows[0][round].per_s);
      cpu_ratio.push_back(rows[i][round].cpu_us / rows[0][round].cpu_us);
    }
    auto* name = x.lanes[i].first.c_str();
    auto lost = lost_share(*x.lanes[i].second);
    if (json)
      std::printf("%s{\"what\":\"%s\",\"messages_per_s\":%.0f,\"cpu_us_per_message\":%.3f,"
                  "\"rate_of_off\":%.3f,\"cpu_of_off\":%.3f,\"events_lost_share\":%.4f}",
                  i > 0 ? "," : "", name, median(rate), median(cpu), median(rate_ratio), median(cpu_ratio),
                  lost.value_or(0));
    else {
      std::printf("%-14s %-15s %10.0f %9.3f us %8.2f %8.2f", i == 0 ? x.name.c_str() : "", name, median(rate),
                  median(cpu), median(rate_ratio), median(cpu_ratio));
      std::printf(lost ? "%9.1f %%\n" : "\n", 100 * lost.value_or(0));
    }
  }
  std::printf(json ? "]}" : "");
  std::fflush(stdout);
}

void bench_actors(uint64_t messages, uint32_t rounds, bool json) {
  scratch local_traces, remote_traces, pki;
  done_or_throw(pki_init(pki.path + "/ca"));
  for (auto* name : {"co", "dc1"})
    done_or_throw(pki_issue(pki.path + "/ca", name));
  if (json)
    std::printf("{\"messages\":%llu,\"rounds\":%u,\"cases\":[", static_cast<unsigned long long>(messages), rounds);
  else
    std::printf("%llu messages a round, %u rounds in turns, medians\n"
                "                               MESSAGES/S CPU/MESSAGE RATE/OFF  CPU/OFF EVENTS LOST\n",
                static_cast<unsigned long long>(messages), rounds);
  contest local{"same process", {}};
  local.lanes.emplace_back("trace off", std::make_unique<local_lane>("", false));
  local.lanes.emplace_back("trace on", std::make_unique<local_lane>(local_traces.path + "/co.jsonl", false));
  local.lanes.emplace_back("bare CAF actors", std::make_unique<local_lane>("", true));
  play(local, messages / 2, rounds, json, true);
  contest remote{"two sites", {}};
  remote.lanes.emplace_back("trace off", std::make_unique<remote_lane>("", pki.path + "/ca", false));
  remote.lanes.emplace_back("trace on", std::make_unique<remote_lane>(remote_traces.path, pki.path + "/ca", true));
  play(remote, messages / 10, rounds, json, false);
  std::printf(json ? "]}\n" : "");
}

} // namespace

void add_bench_actors(CLI::App& bench, command_settings& settings) {
  struct choice {
    uint64_t messages = 200000;
    uint32_t rounds = 7;
  };
  auto x = std::make_shared<choice>();
  auto* actors = bench.add_subcommand("actors", "Messages between actors, with the trace on and off in turns");
  actors->add_option("--messages", x->messages, "Messages of a round; a fifth of it between two sites")
    ->capture_default_str()
    ->check(CLI::Range(1000, 10000000));
  actors->add_option("--rounds", x->rounds, "Rounds of each")->capture_default_str()->check(CLI::Range(1, 100));
  actors->footer("A transfer_offer and its answer, 16 requests under way, as fast as two actors can. EVENTS LOST came\n"
                 "faster than the trace file takes them: each is counted in it, and nobody waited for it.\n"
                 "Example:  qnfv bench actors --json");
  actors->callback([x, &settings] { bench_actors(x->messages, x->rounds, settings.json); });
}

} // namespace qnfv

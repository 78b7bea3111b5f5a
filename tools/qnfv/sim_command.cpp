#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/simulation.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <cstdio>
#include <ctime>

namespace qnfv {

namespace {

using namespace std::chrono_literals;

struct sim_options {
  std::string topology;
  std::string span = "24h";
  uint64_t seed = 1;
  double orders_per_h = 2;
  std::vector<std::string> notes;
};

struct sim_outcome {
  uint64_t orders = 0;
  std::vector<std::string> failures; ///< The first orders that did not end as they should.
  uint64_t running = 0;
  std::vector<std::string> violations;
};

/// Images of seeded sizes go to seeded data centres at seeded times, for `span`.
sim_outcome play(simulation& sim, duration span, double orders_per_h) {
  sim_outcome out;
  std::vector<std::string> images;
  for (auto size : {64u << 10, 1u << 20, 3u << 20}) {
    auto name = "image-" + std::to_string(size >> 10) + "k";
    if (!sim.add_image(name, size))
      out.violations.push_back("I34 image_store refused " + name);
    images.push_back(name);
  }
  std::vector<site_id> centres;
  for (auto& site : sim.lab().sites)
    if (!site.vims.empty())
      centres.push_back(site.site);
  auto note = [&](std::vector<std::string> found) {
    for (auto& x : found)
      if (out.violations.size() < 100)
        out.violations.push_back(format_duration(sim.elapsed()) + " " + x);
  };
  while (sim.elapsed() < span) {
    auto mean_s = 3600 / orders_per_h;
    auto wait = from_seconds(-std::log(1 - sim.random().uniform()) * mean_s);
    auto left = span - sim.elapsed();
    if (wait >= left) {
      sim.advance(left);
      break;
    }
    sim.advance(wait);
    auto& image = images[sim.random().next() % images.size()];
    auto& site = centres[sim.random().next() % centres.size()];
    auto placed = sim.deliver(image, site);
    if (!placed)
      continue;
    ++out.orders;
    auto id = placed->id;
    auto vnf = placed->vnf;
    order last = *placed;
    sim.until(
      [&] {
        auto x = sim.order_now(id);
        if (x)
          last = *x;
        return is_final(last.state);
      },
      3h, 1s);
    if (last.state == order_state::running) {
      ++out.running;
      // Somebody needed the function for a while only.
      (void) sim.ask<vnf_info>(sim.orchestrator(), stop_vnf{vnf});
    } else if (out.failures.size() < 5) {
      out.failures.push_back(format_duration(sim.elapsed()) + " " + id.value + " for " + site.value + " "
                             + to_string(last.state) + ": " + last.reason);
    }
    note(sim.violations(false));
  }
  sim.advance(2min);
  note(sim.violations(true));
  return out;
}

void run(const sim_options& options, const command_settings& settings) {
  auto lab = value_or_throw(load_topology(options.topology));
  auto span = parse_duration(options.span);
  if (!span)
    throw command_error{{ec::invalid_argument, "--for " + options.span
                                                 + ": not a duration; write 90s, 15m, 24h or 30d"}};
  auto cpu = std::clock();
  simulation sim{lab, options.seed};
  if (!options.notes.empty())
    sim.watch_trace([&](const trace_event& x) {
      auto wanted = x.kind == trace_kind::note
                    && std::count(options.notes.begin(), options.notes.end(), x.message) > 0;
      if (wanted)
        std::fprintf(stderr, "%9.1f s  %-8s %-9s %s\n", to_seconds(sim.elapsed()), x.site.c_str(),
                     x.message.c_str(), x.text.c_str());
    });
  auto outcome = play(sim, *span, options.orders_per_h);
  auto cpu_s = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  auto virtual_s = to_seconds(sim.elapsed());
  if (settings.json) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> out{buffer};
    out.StartObject();
    out.Key("topology");
    out.String(lab.name.c_str());
    out.Key("seed");
    out.Uint64(options.seed);
    out.Key("trace_hash");
    out.String(sim.trace_hash().c_str());
    out.Key("messages");
    out.Uint64(sim.messages());
    out.Key("virtual_s");
    out.Double(virtual_s);
    out.Key("cpu_s");
    out.Double(cpu_s);
    out.Key("orders");
    out.Uint64(outcome.orders);
    out.Key("running");
    out.Uint64(outcome.running);
    out.Key("failures");
    out.StartArray();
    for (auto& x : outcome.failures)
      out.String(x.c_str());
    out.EndArray();
    out.Key("violations");
    out.StartArray();
    for (auto& x : outcome.violations)
      out.String(x.c_str());
    out.EndArray();
    out.EndObject();
    std::printf("%s\n", buffer.GetString());
  } else {
    std::printf("%s, seed %llu: %s of lab time in %s of CPU (%.0fx)\n", lab.name.c_str(),
                static_cast<unsigned long long>(options.seed),
                format_duration(sim.elapsed()).c_str(),
                format_duration(from_seconds(cpu_s)).c_str(), virtual_s / cpu_s);
    std::printf("  %llu messages, %llu orders, %llu of them delivered\n  trace %s\n",
                static_cast<unsigned long long>(sim.messages()),
                static_cast<unsigned long long>(outcome.orders),
                static_cast<unsigned long long>(outcome.running), sim.trace_hash().c_str());
    for (auto& x : outcome.failures)
      std::printf("  not delivered: %s\n", x.c_str());
    for (auto& x : outcome.violations)
      std::printf("  VIOLATED %s\n", x.c_str());
    std::printf("  %zu violations\n", outcome.violations.size());
  }
  if (!outcome.violations.empty())
    throw command_error{{ec::internal, std::to_string(outcome.violations.size())
                                         + " invariants were violated; repeat with --seed "
                                         + std::to_string(options.seed)}};
}

} // namespace

void add_sim_command(CLI::App& app, command_settings& settings) {
  auto options = std::make_shared<sim_options>();
  auto* sim = app.add_subcommand("sim", "Run a whole lab in virtual time, repeatably");
  sim->add_option("topology", options->topology, "Topology file")->required();
  sim->add_option("--for", options->span, "How long, in lab time: 90s, 15m, 24h, 30d")
    ->capture_default_str();
  sim->add_option("--seed", options->seed, "Same seed, same trace")->capture_default_str();
  sim->add_option("--notes", options->notes,
                  "Print what happens, of these kinds: link schedule alarm keys path relay ...")
    ->delimiter(',');
  sim->add_option("--orders-per-h", options->orders_per_h, "Mean rate of deliveries")
    ->capture_default_str()
    ->check(CLI::Range(0.01, 3600.0));
  sim->footer("Example:  qnfv sim config/topologies/two-site.json --for 24h --seed 7 --json");
  sim->callback([options, &settings] { run(*options, settings); });
}

} // namespace qnfv

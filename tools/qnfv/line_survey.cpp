#include "tools/qnfv/line_survey.hpp"

#include "tools/qnfv/composer.hpp"
#include "tools/qnfv/simulation.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

namespace qnfv {

namespace {

using namespace std::chrono_literals;
using writer = rapidjson::Writer<rapidjson::StringBuffer>;

/// Shorter than any block, so that none is missed.
constexpr auto look_every = 30s;
/// At 0 km a session takes about 800 s; a block of 2400 keys takes 150 s.
constexpr uint32_t keys_per_session = 16000;
constexpr uint32_t pool_keys_most = 1000000;

void field(writer& out, const char* name, const std::string& value) {
  out.Key(name);
  out.String(value.c_str());
}

void site(writer& out, const std::string& name, const std::string& device, const char* kind,
          unsigned port) {
  out.StartObject();
  field(out, "name", name);
  field(out, "listen", "127.0.0.1:" + std::to_string(port));
  field(out, "data_listen", "127.0.0.1:" + std::to_string(port + 1));
  out.Key("orchestrator");
  out.Bool(name == "co");
  out.Key("devices");
  out.StartArray();
  out.StartObject();
  field(out, "name", device);
  field(out, "kind", kind);
  out.EndObject();
  out.EndArray();
  out.EndObject();
}

void fibre(writer& out, const std::string& from, const std::string& to, double length_km) {
  out.StartObject();
  field(out, "from", from);
  field(out, "to", to);
  out.Key("length_km");
  out.Double(length_km);
  out.EndObject();
}

/// The paper's lab with as many data centres as there are lengths. Nobody draws keys, so the pools
/// are large; nothing but devices matters, so the sites talk little.
std::string lab_of(const std::vector<double>& lengths_km) {
  rapidjson::StringBuffer buffer;
  writer out{buffer};
  auto n = lengths_km.size();
  auto alice = [](size_t i) { return "alice" + std::to_string(i + 1); };
  out.StartObject();
  field(out, "name", "survey");
  out.Key("sites");
  out.StartArray();
  site(out, "co", "bob1", "bob", 7001);
  for (size_t i = 0; i < n; ++i)
    site(out, "dc" + std::to_string(i + 1), alice(i), "alice", static_cast<unsigned>(7011 + 2 * i));
  out.EndArray();
  out.Key("optical");
  out.StartObject();
  out.Key("switches");
  out.StartArray();
  out.StartObject();
  field(out, "name", "switch1");
  out.EndObject();
  out.EndArray();
  out.Key("fibres");
  out.StartArray();
  fibre(out, "bob1", "switch1:1", 0);
  for (size_t i = 0; i < n; ++i)
    fibre(out, "switch1:" + std::to_string(25 + i), alice(i), lengths_km[i]);
  out.EndArray();
  out.EndObject();
  out.Key("links");
  out.StartArray();
  for (size_t i = 0; i < n; ++i) {
    out.StartObject();
    field(out, "bob", "bob1");
    field(out, "alice", alice(i));
    out.EndObject();
  }
  out.EndArray();
  out.Key("schedule");
  out.StartObject();
  field(out, "policy", "round_robin");
  out.EndObject();
  out.Key("limits");
  out.StartObject();
  for (auto [name, value] : {std::make_pair("heartbeat_ms", 10000),
                             {"pool_keys_max", 1000000},
                             {"reconcile_s", 3600u}}) {
    out.Key(name);
    out.Uint(value);
  }
  out.EndObject();
  out.EndObject();
  return buffer.GetString();
}

/// Follows the reports of one link.
class follower {
public:
  explicit follower(double length_km) { line.length_km = length_km; }

  void see(const device_report& x) {
    if (x.session != session_) {
      session_ = x.session;
      first_key_ = false;
      qber_ = rate_ = 0;
    }
    if (x.qber > 0 && (x.qber != qber_ || x.secret_rate_bps != rate_)) {
      qber_ = x.qber;
      rate_ = x.secret_rate_bps;
      line.loss_db = x.loss_db;
      line.qber.add(qber_);
      line.secret_rate_bps.add(rate_);
    }
    if (x.initialisation_s > 0 && !first_key_) {
      first_key_ = true;
      line.initialisation_s.add(x.initialisation_s);
    }
  }

  line_measurement line;

private:
  uint32_t session_ = 0;
  bool first_key_ = false;
  double qber_ = 0;
  double rate_ = 0;
};

status check(const std::vector<double>& lengths_km) {
  if (lengths_km.empty() || lengths_km.size() > survey_lengths_max)
    return {ec::invalid_argument, "give 1 to " + std::to_string(survey_lengths_max) + " lengths"};
  for (auto x : lengths_km)
    if (!(x >= 0 && x <= survey_length_max_km))
      return {ec::invalid_argument, "a length of " + std::to_string(x) + " km: from 0 to "
                                      + std::to_string(static_cast<int>(survey_length_max_km))
                                      + " km links make keys"};
  return done{};
}

} // namespace

void spread::add(double x) {
  least_ = count_ == 0 ? x : std::min(least_, x);
  most_ = count_ == 0 ? x : std::max(most_, x);
  sum_ += x;
  ++count_;
}

result<line_survey> survey_lines(const std::vector<double>& lengths_km, uint32_t sessions,
                                 uint64_t seed) {
  if (auto ok = check(lengths_km); !ok)
    return ok.error();
  auto lab = parse_topology(lab_of(lengths_km), "survey");
  if (!lab)
    return lab.error();
  simulation sim{*lab, seed};
  std::vector<follower> followers(lengths_km.begin(), lengths_km.end());
  auto limit = 4h * sessions * lengths_km.size();
  auto missing = [&] {
    return std::find_if(followers.begin(), followers.end(),
                        [&](auto& x) { return x.line.initialisation_s.count() < sessions; });
  };
  while (missing() != followers.end()) {
    if (sim.elapsed() > limit)
      return {ec::device_failed,
              "the link of " + std::to_string(missing()->line.length_km) + " km makes no keys"};
    sim.advance(look_every);
    for (size_t i = 0; i < followers.size(); ++i) {
      auto link = sim.role<link_actor>(lab->links[i].bob_site, link_role(lab->links[i].link));
      if (auto status = sim.ask<link_status>(link, link_status_query{}))
        followers[i].see(status->device);
    }
  }
  line_survey out;
  for (auto& x : followers)
    out.lines.push_back(x.line);
  out.lab_time_s = to_seconds(sim.elapsed());
  return out;
}

} // namespace qnfv

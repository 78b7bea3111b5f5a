#include "tools/traces/exports.hpp"
#include "tools/traces/packets.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace qnfv {

namespace {

constexpr int64_t shortest_ns = 1000; ///< A slice that led to nothing.

/// Process and thread of an actor, from 1.
struct track {
  int process = 0;
  int thread = 0;
  friend bool operator<(const track& a, const track& b) {
    return std::tie(a.process, a.thread) < std::tie(b.process, b.thread);
  }
};

class perfetto_writer {
public:
  explicit perfetto_writer(const trace_log& log)
    : log_(log), causes_(log.causes()), zero_(log.events.empty() ? 0 : log.events.front().unix_ns) {
    for (auto& x : log.events)
      zero_ = std::min(zero_, x.unix_ns);
  }

  std::string write() {
    ends_ = slice_ends();
    out_.StartObject();
    out_.Key("displayTimeUnit");
    out_.String("ms");
    out_.Key("traceEvents");
    out_.StartArray();
    for (size_t i = 0; i < log_.events.size(); ++i)
      put(i);
    for (auto& [name, number] : processes_)
      name_of("process_name", name, {number, 0});
    for (auto& [name, where] : tracks_)
      name_of("thread_name", role_of_address(name), where);
    out_.EndArray();
    out_.EndObject();
    return {buffer_.GetString(), buffer_.GetSize()};
  }

private:
  static bool is_slice(const trace_event& x) {
    return x.kind == trace_kind::receive || x.kind == trace_kind::reply || x.kind == trace_kind::send;
  }

  /// Where it is drawn: a message at who handles it, a send at who spoke.
  track track_of(const trace_event& x) {
    auto at_sender = x.kind == trace_kind::send || x.kind == trace_kind::drop
                     || x.kind == trace_kind::note;
    auto address = wire_piece_of(x) ? x.site + "/" + x.message : at_sender ? x.from : x.to;
    if (site_of_address(address) != x.site)
      address = x.site + "/" + role_of_address(address);
    auto [process, is_new] = processes_.emplace(x.site, static_cast<int>(processes_.size()) + 1);
    auto& where = tracks_[address];
    if (where.process == 0)
      where = {process->second, static_cast<int>(tracks_.size())};
    return where;
  }

  /// A slice lasts to the last event at its site that names it as cause, but not into the next one.
  std::vector<int64_t> slice_ends() {
    auto& events = log_.events;
    std::vector<int64_t> out;
    for (auto& x : events)
      out.push_back(x.unix_ns + shortest_ns);
    for (size_t i = 0; i < events.size(); ++i)
      if (causes_[i] != trace_log::nobody && events[causes_[i]].site == events[i].site
          && events[causes_[i]].kind != trace_kind::send)
        out[causes_[i]] = std::max(out[causes_[i]], events[i].unix_ns + shortest_ns);
    std::map<track, std::vector<size_t>> on;
    for (size_t i = 0; i < events.size(); ++i)
      if (is_slice(events[i]) && events[i].kind != trace_kind::send)
        on[track_of(events[i])].push_back(i);
    for (auto& [where, slices] : on) {
      std::stable_sort(slices.begin(), slices.end(), [&](size_t a, size_t b) {
        return events[a].unix_ns < events[b].unix_ns;
      });
      for (size_t i = 0; i + 1 < slices.size(); ++i)
        out[slices[i]] = std::min(out[slices[i]], events[slices[i + 1]].unix_ns);
    }
    return out;
  }

  void begin(const char* phase, const std::string& name, int64_t unix_ns, const track& where) {
    out_.StartObject();
    out_.Key("ph");
    out_.String(phase);
    out_.Key("name");
    out_.String(name.c_str());
    out_.Key("ts");
    time(unix_ns - zero_);
    out_.Key("pid");
    out_.Int(where.process);
    out_.Key("tid");
    out_.Int(where.thread);
  }

  /// Microseconds; the format's unit.
  void time(int64_t ns) { out_.Double(static_cast<double>(ns) / 1000); }

  void put(size_t i) {
    auto& x = log_.events[i];
    auto where = track_of(x);
    begin(is_slice(x) ? "X" : "i", x.message, x.unix_ns, where);
    if (is_slice(x)) {
      out_.Key("dur");
      time(ends_[i] - x.unix_ns);
    } else {
      out_.Key("s");
      out_.String("t");
    }
    out_.Key("cat");
    out_.String(to_string(x.kind).c_str());
    out_.Key("args");
    out_.StartObject();
    for (auto [key, value] : {std::make_pair("id", x.id()), std::make_pair("from", x.from),
                              std::make_pair("to", x.to), std::make_pair("trace", x.trace),
                              std::make_pair("cause", x.cause), std::make_pair("fields", x.text)})
      if (!value.empty()) {
        out_.Key(key);
        out_.String(value.c_str());
      }
    out_.EndObject();
    out_.EndObject();
    if (is_slice(x) && causes_[i] != trace_log::nobody)
      arrow(causes_[i], i);
  }

  /// From inside the cause's slice, at the time of the effect if that was at its site.
  void arrow(size_t from, size_t to) {
    auto& a = log_.events[from];
    auto& b = log_.events[to];
    if (!is_slice(a))
      return;
    auto left = a.kind == trace_kind::send
                  ? a.unix_ns
                  : std::max(a.unix_ns, std::min(b.unix_ns, ends_[from] - shortest_ns));
    arrow_end("s", b, left, track_of(a), to);
    arrow_end("f", b, b.unix_ns, track_of(b), to);
  }

  void arrow_end(const char* phase, const trace_event& x, int64_t unix_ns, const track& where, size_t id) {
    begin(phase, x.message, unix_ns, where);
    out_.Key("cat");
    out_.String("cause");
    out_.Key("id");
    out_.Uint64(id + 1);
    out_.Key("bp");
    out_.String("e");
    out_.EndObject();
  }

  void name_of(const char* what, const std::string& name, const track& where) {
    out_.StartObject();
    out_.Key("ph");
    out_.String("M");
    out_.Key("name");
    out_.String(what);
    out_.Key("pid");
    out_.Int(where.process);
    out_.Key("tid");
    out_.Int(where.thread);
    out_.Key("args");
    out_.StartObject();
    out_.Key("name");
    out_.String(name.c_str());
    out_.EndObject();
    out_.EndObject();
  }

  const trace_log& log_;
  const std::vector<size_t> causes_;
  int64_t zero_;
  std::vector<int64_t> ends_; ///< Of slices.
  std::map<std::string, int> processes_;
  std::map<std::string, track> tracks_;
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> out_{buffer_};
};

} // namespace

std::string to_perfetto(trace_log log) {
  log.sort();
  return perfetto_writer{log}.write() + "\n";
}

} // namespace qnfv

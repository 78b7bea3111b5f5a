// A trace file, as another site wrote it or a damaged disk gives it back: what is read, what is found in
// it, and every format that it leaves in.

#include "drivers/http/json.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tools/traces/causality.hpp"
#include "tools/traces/diff.hpp"
#include "tools/traces/exports.hpp"

#include <algorithm>
#include <cstring>
#include <set>

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

bool ids_differ(const trace_log& log) {
  std::set<std::string> ids;
  return std::all_of(log.events.begin(), log.events.end(),
                     [&](auto& x) { return ids.insert(x.id()).second; });
}

/// Blocks that say their length at both ends, in multiples of 4 bytes.
bool is_pcapng(const std::string& file) {
  auto number = [&](size_t at) {
    uint32_t out;
    std::memcpy(&out, file.data() + at, sizeof out);
    return out;
  };
  size_t at = 0;
  while (at + 12 <= file.size()) {
    auto size = number(at + 4);
    if (size < 12 || size % 4 != 0 || size > file.size() - at || number(at + size - 4) != size)
      return false;
    at += size;
  }
  return at == file.size();
}

} // namespace

QNFV_FUZZER(data, size) {
  auto text = text_of(data, size);
  auto log = bounded(size, of_json, [&] {
    trace_log x;
    x.add_file(text, "trace.jsonl");
    return x;
  });
  auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  hold(log.events.size() + log.bad_lines <= lines, "a line is one event at most");
  auto sorted = log;
  sorted.sort();
  hold(sorted.events.size() == log.events.size(), "sorting loses nothing");
  if (ids_differ(sorted) && check_causality(sorted).violations.empty()) {
    auto causes = sorted.causes();
    for (size_t i = 0; i < causes.size(); ++i)
      hold(causes[i] == trace_log::nobody || causes[i] < i, "causes come before their effects");
  }
  auto written = to_jsonl(log);
  trace_log again;
  again.add_file(written, "written.jsonl");
  hold(again.bad_lines == 0 && again.lost == log.lost && again.events.size() == log.events.size(),
       "a trace that was understood can be written");
  hold(!ids_differ(log) || to_jsonl(again) == written, "and reads back to the same");
  hold(bool{parse_object(to_perfetto(log))}, "Perfetto gets JSON");
  hold(is_pcapng(to_pcapng(log)), "Wireshark gets whole blocks");
  hold(to_html(log).find("@TRACE@") == std::string::npos, "the page holds the trace");
  for (bool all : {false, true})
    hold(to_mermaid(log, all).rfind("sequenceDiagram", 0) == 0, "Mermaid gets a sequence chart");
  hold(!first_difference(log, log, true), "a run is like itself");
  sorted.keep_trace(sorted.find_trace("last"));
  hold(sorted.events.size() <= log.events.size(), "one trace is a part of all");
  return 0;
}

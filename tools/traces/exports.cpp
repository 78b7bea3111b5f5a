#include "tools/traces/exports.hpp"

namespace qnfv {

std::string to_jsonl(trace_log log) {
  log.sort();
  std::string out;
  for (auto& [site, n] : log.lost) {
    trace_event gap;
    gap.unix_ns = log.events.empty() ? 0 : log.events.front().unix_ns;
    gap.site = site;
    gap.text = "dropped(" + std::to_string(n) + ")"; // Without a number: which ones, nobody knows.
    out += to_json(gap) + "\n";
  }
  for (auto& x : log.events)
    out += to_json(x) + "\n";
  return out;
}

result<std::string> export_trace(trace_log log, const std::string& format, bool all) {
  if (format == "jsonl")
    return to_jsonl(std::move(log));
  if (format == "perfetto")
    return to_perfetto(std::move(log));
  if (format == "mermaid")
    return to_mermaid(std::move(log), all);
  if (format == "html")
    return to_html(std::move(log));
  if (format == "pcapng")
    return to_pcapng(std::move(log));
  return {ec::invalid_argument,
          "no trace format is called " + format + "; there are jsonl, perfetto, mermaid, html, pcapng"};
}

} // namespace qnfv

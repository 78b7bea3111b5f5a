// What a host says by ssh when a lab is deployed to it. A report, or the words of an ssh that failed.

#include "tests/fuzz/fuzz.hpp"
#include "tools/qnfv/deploy_plan.hpp"

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

std::string report_of(const host_report& x) {
  auto out = "processor " + x.processor + "\nmanager " + x.manager + "\nfolder " + x.folder + "\nrefused "
             + x.refused + "\nfree_kb " + std::to_string(x.free_kb) + "\nversion " + x.version + "\nstarted "
             + x.started + "\n" + (x.running ? "running\n" : "");
  for (auto& [path, file] : x.files)
    out += "file " + file.mode + " " + file.digest + " " + path + "\n";
  return out;
}

/// As a POSIX shell reads it.
std::string unquoted(std::string_view word) {
  std::string out;
  bool inside = false;
  for (size_t i = 0; i < word.size(); ++i)
    if (word[i] == '\'')
      inside = !inside;
    else
      out += !inside && word[i] == '\\' && i + 1 < word.size() ? word[++i] : word[i];
  return inside ? "" : out;
}

void judge(const host_report& x) {
  auto written = report_of(x);
  auto again = parse_host_report(written);
  hold(again && report_of(*again) == written, "a report that was understood can be written");
  site_wanted wanted{site_id{"dc1"}, "x86_64", "v1",
                     {{"site.key", "600", std::string(64, 'a'), 32, "site.key"},
                      {"secrets/dc1.seal", "400", std::string(64, 'b'), 32, "dc1.seal"}},
                     false};
  auto plan = plan_site(wanted, x);
  if (!plan)
    return hold(!plan.error().text.empty(), "a host that is refused is told why");
  hold(plan->send.size() <= wanted.files.size(), "only what belongs there is sent");
  hold(x.processor == wanted.processor && x.refused.empty(), "to a host that can take it");
  hold(!plan->nothing() || (x.running && x.version == "v1"), "and left alone if it runs");
  auto there = x.files.find("secrets/dc1.seal");
  hold(there == x.files.end() || there->second.digest == wanted.files[1].digest,
       "no seal key is overwritten");
}

} // namespace

QNFV_FUZZER(data, size) {
  auto said = text_of(data, size);
  auto x = bounded(size, of_json, [&] { return parse_host_report(said); });
  if (x)
    judge(*x);
  else
    hold(x.error().code == ec::bad_config && x.error().text.size() < 256, "a strange answer is cut");
  auto why = ssh_failure("root@10.0.0.1", said);
  hold(!why.empty() && why.find('\n') == std::string::npos, "a failure is one line");
  hold(unquoted(shell_quoted(said)) == said, "a shell reads a quoted word as it stands");
  processor_of_elf(said);
  return 0;
}

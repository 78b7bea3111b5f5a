// An audit trail as a disk gives it back. The input is its newest file, or several: a line "--"
// begins the next one. The first byte, bit 0: each line gets the digest of the one before it and its
// number, which no mutation finds; bit 1: the trail goes on.

#include "actors/key_pool/audit.hpp"
#include "runtime/storage/memory.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

/// Replaces the value behind `name`, up to `end`.
void set(std::string& line, std::string_view name, char end, const std::string& value) {
  auto at = line.find(name);
  if (at == std::string::npos)
    return;
  at += name.size();
  line.replace(at, std::min(line.find(end, at), line.size()) - at, value);
}

std::map<std::string, bytes> files_of(parts in, bool chain) {
  std::map<std::string, bytes> out;
  std::string file = "audit/000001.log";
  out[file];
  sha256_digest previous{};
  for (uint64_t n = 1; !in.rest().empty();) {
    auto before = in.rest().size();
    std::string line{in.line()};
    bool ended = before - in.rest().size() > line.size();
    if (line == "--" && out.size() < 9) {
      file = "audit/00000" + std::to_string(out.size() + 1) + ".log";
      out[file];
      continue;
    }
    if (chain) {
      set(line, "\"seq\":", ',', std::to_string(n++));
      set(line, "\"prev\":\"", '"', to_hex(previous));
      previous = sha256::of(byte_view{std::string_view{line}});
    }
    if (ended)
      line += '\n';
    out[file].insert(out[file].end(), line.begin(), line.end());
  }
  return out;
}

} // namespace

QNFV_FUZZER(data, size) {
  parts in{data, size};
  auto first = in.byte();
  auto files = std::make_shared<memory_storage>();
  files->restore(files_of(in, first & 1));
  uint64_t lines = 0;
  auto report = verify_audit(*files, "audit", [&](const std::string&) { ++lines; });
  hold(report || report.error().code == ec::stream_corrupt, "a broken trail is corrupt");
  hold(!report || report->records == lines, "every record is shown");
  auto trail = audit_trail::open(files, "audit");
  if (!trail) {
    hold(trail.error().code == ec::bad_config && !report, "only a broken trail does not open");
    return 0;
  }
  hold((*trail)->last() == lines, "the trail goes on where its good records end");
  if (report)
    for (auto& [link, change] : report->changes)
      hold((*trail)->found(link) == change, "and knows the changes of every link");
  if ((first & 2) == 0)
    return 0;
  (*trail)->append({0, "delivered", "bob1/alice1", "key", "nfv-co -> mano-gw-1", 1});
  hold(bool{(*trail)->flush()}, "a record can be added");
  trail->reset();
  auto longer = verify_audit(*files, "audit");
  hold(longer && longer->records == lines + 1, "and the chain holds");
  return 0;
}

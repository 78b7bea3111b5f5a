#include "actors/scheduler/learnt.hpp"

#include <charconv>
#include <cmath>
#include <sstream>

namespace qnfv {

namespace {

constexpr const char* heading = "qnfv-demand 1";

/// "NAME=" and a measured value: finite and not negative.
bool field(std::istream& in, std::string_view name, double& to) {
  std::string word;
  if (!(in >> word) || word.compare(0, name.size(), name) != 0 || word.size() <= name.size()
      || word[name.size()] != '=')
    return false;
  auto* last = word.data() + word.size();
  auto [end, error] = std::from_chars(word.data() + name.size() + 1, last, to);
  return error == std::errc{} && end == last && std::isfinite(to) && to >= 0;
}

} // namespace

std::string to_text(const learnt_demands& all) {
  std::ostringstream out;
  out.precision(9);
  out << heading << "\n";
  for (auto& [link, x] : all)
    out << link.value << " bps=" << x.bps << " seen_s=" << x.seen_s
        << " request_bits=" << x.request_bits << "\n";
  return out.str();
}

result<learnt_demands> parse_learnt_demands(std::string_view text) {
  std::istringstream in{std::string{text}};
  std::string line;
  if (!std::getline(in, line) || line != heading)
    return {ec::bad_config, std::string{"does not begin with \""} + heading + "\""};
  learnt_demands out;
  for (size_t n = 2; std::getline(in, line); ++n) {
    std::istringstream words{line};
    std::string link, more;
    learnt_demand x;
    if (!(words >> link) || !field(words, "bps", x.bps) || !field(words, "seen_s", x.seen_s)
        || !field(words, "request_bits", x.request_bits) || words >> more)
      return {ec::bad_config, "line " + std::to_string(n)
                                + " is no \"LINK bps=N seen_s=N request_bits=N\""};
    if (!out.emplace(link_id{link}, x).second)
      return {ec::bad_config, "line " + std::to_string(n) + ": " + link + " a second time"};
  }
  return out;
}

} // namespace qnfv

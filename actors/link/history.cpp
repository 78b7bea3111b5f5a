#include "actors/link/history.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <sstream>

namespace qnfv {

namespace {

template <class T>
bool whole(std::string_view value, T& to) {
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), to);
  return error == std::errc{} && end == value.data() + value.size();
}

/// A measured value: finite and not negative.
bool measured(std::string_view value, double& to) {
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), to);
  return error == std::errc{} && end == value.data() + value.size() && std::isfinite(to) && to >= 0;
}

/// A mean that forgets: of all values while there are few, then with the weight of the newest one.
void average(double& mean, double value, double weight) {
  mean += (value - mean) * weight;
}

} // namespace

void link_history::initialised(double initialisation_s) {
  ++sessions_with_keys;
  average(mean_initialisation_s, initialisation_s, std::max(0.1, 1.0 / sessions_with_keys));
}

void link_history::distilled(double secret_rate_bps, double qber) {
  auto first = mean_secret_rate_bps == 0;
  average(mean_secret_rate_bps, secret_rate_bps, first ? 1 : 0.05);
  average(mean_qber, qber, first ? 1 : 0.05);
}

std::string history_file(const link_id& link) {
  auto name = "link-" + link.value;
  std::replace(name.begin(), name.end(), '/', '-');
  return name;
}

std::string to_text(const link_history& x) {
  std::ostringstream out;
  out.precision(9);
  out << "qnfv-link 1 session=" << x.session << " epoch=" << x.epoch
      << " sessions_with_keys=" << x.sessions_with_keys
      << " mean_initialisation_s=" << x.mean_initialisation_s
      << " mean_secret_rate_bps=" << x.mean_secret_rate_bps << " mean_qber=" << x.mean_qber << "\n";
  return out.str();
}

result<link_history> parse_link_history(std::string_view text) {
  link_history out;
  if (whole(text, out.session))
    return out;
  std::istringstream in{std::string{text}};
  std::string word;
  int version = 0;
  if (!(in >> word >> version) || word != "qnfv-link" || version != 1)
    return {ec::bad_config, "does not begin with \"qnfv-link 1\""};
  std::set<std::string> fields;
  while (in >> word) {
    auto equals = word.find('=');
    if (equals == std::string::npos)
      return {ec::bad_config, "\"" + word + "\" is no NAME=VALUE"};
    auto name = word.substr(0, equals);
    auto value = std::string_view{word}.substr(equals + 1);
    auto ok = name == "session"                 ? whole(value, out.session)
              : name == "epoch"                 ? whole(value, out.epoch)
              : name == "sessions_with_keys"    ? whole(value, out.sessions_with_keys)
              : name == "mean_initialisation_s" ? measured(value, out.mean_initialisation_s)
              : name == "mean_secret_rate_bps"  ? measured(value, out.mean_secret_rate_bps)
              : name == "mean_qber"             ? measured(value, out.mean_qber)
                                                : false;
    if (!ok || !fields.insert(name).second)
      return {ec::bad_config, "bad field \"" + word + "\""};
  }
  if (fields.size() != 6)
    return {ec::bad_config, "fields are missing"};
  return out;
}

} // namespace qnfv

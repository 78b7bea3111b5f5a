#include "actors/key_server/directory.hpp"

#include <algorithm>

namespace qnfv {

namespace {

failure not_allowed() {
  return {ec::not_allowed, "the certificate does not allow this"};
}

} // namespace

directory::directory(site_id here, std::vector<application> all, key_limits limits)
    : here_(std::move(here)), limits_(limits) {
  for (auto& x : all) {
    if (x.site == here_)
      callers_[x.certificate] = x.name;
    applications_[x.name] = std::move(x);
  }
}

const application* directory::find(const std::string& name) const {
  auto i = applications_.find(name);
  return i == applications_.end() ? nullptr : &i->second;
}

result<const application*> directory::caller(const proven_names& names) const {
  const std::string* found = nullptr;
  for (auto& name : names) {
    auto i = callers_.find(name);
    if (i == callers_.end())
      continue;
    if (found && *found != i->second)
      return not_allowed(); // A certificate for two speaks for none.
    found = &i->second;
  }
  if (!found)
    return not_allowed();
  return find(*found);
}

result<const application*> directory::counterpart(const std::string& name) const {
  auto* x = find(name);
  if (!x || x->link.empty())
    return {ec::invalid_argument, "no keys are shared with the slave SAE"};
  return x;
}

link_id directory::link_to(const std::string& slave) const {
  auto* x = find(slave);
  return x ? x->link : link_id{};
}

result<reserve_keys> directory::check(const draw_keys& x) const {
  auto master = caller(x.caller);
  if (!master)
    return master.error();
  auto slave = counterpart(x.slave);
  if (!slave)
    return slave.error();
  if (x.number == 0 || x.number > limits_.keys_per_request_max)
    return {ec::invalid_argument,
            "number shall be 1 to " + std::to_string(limits_.keys_per_request_max)};
  if (x.size_bits % 8 != 0)
    return {ec::invalid_argument, "size shall be a multiple of 8"}; // Literal, ETSI GS QKD 014.
  if (x.size_bits < limits_.key_size_bits_min || x.size_bits > limits_.key_size_bits_max)
    return {ec::invalid_argument, "size shall be " + std::to_string(limits_.key_size_bits_min)
                                      + " to " + std::to_string(limits_.key_size_bits_max)
                                      + " bits"};
  if (x.additional_slaves.size() > limits_.additional_slaves_max)
    return {ec::invalid_argument, "at most " + std::to_string(limits_.additional_slaves_max)
                                      + " additional_slave_SAE_IDs"};
  reserve_keys out;
  out.link = (*slave)->link;
  out.count = x.number;
  out.size_bits = x.size_bits;
  out.request = x.request;
  out.users = {(*master)->name, {(*slave)->name}};
  for (auto& name : x.additional_slaves) {
    auto* more = find(name);
    // A key has two ends: the slaves of one key fetch it at one of them.
    if (!more || more->site != (*slave)->site)
      return {ec::invalid_argument,
              "every one of additional_slave_SAE_IDs shall be at the site of the slave SAE"};
    auto& slaves = out.users.slaves;
    if (std::count(slaves.begin(), slaves.end(), more->name) > 0)
      return {ec::invalid_argument, "a slave SAE is named twice"};
    slaves.push_back(more->name);
  }
  return out;
}

result<claim_keys> directory::check(const fetch_keys& x) const {
  auto slave = caller(x.caller);
  if (!slave)
    return slave.error();
  if (x.keys.empty() || x.keys.size() > limits_.keys_per_request_max)
    return {ec::invalid_argument,
            "key_IDs shall name 1 to " + std::to_string(limits_.keys_per_request_max) + " keys"};
  std::set<key_id> once{x.keys.begin(), x.keys.end()};
  if (once.size() != x.keys.size())
    return {ec::invalid_argument, "a key is named twice"};
  auto master = counterpart(x.master);
  if (!master)
    return {ec::unknown_key, "no such master"};
  return claim_keys{(*master)->link, x.keys, (*master)->name, (*slave)->name};
}

result<application_status> directory::check(const application_status_query& x) const {
  auto master = caller(x.caller);
  if (!master)
    return master.error();
  auto slave = counterpart(x.slave);
  if (!slave)
    return slave.error();
  application_status out;
  out.source = here_;
  out.target = (*slave)->site;
  out.master = (*master)->name;
  out.slave = (*slave)->name;
  out.stored_keys_max = limits_.stored_keys_max;
  out.keys_per_request_max = limits_.keys_per_request_max;
  out.key_size_bits_min = limits_.key_size_bits_min;
  out.key_size_bits_max = limits_.key_size_bits_max;
  for (auto& other : applications_)
    if (other.second.site == out.target && other.first != out.slave)
      ++out.additional_slaves_max;
  out.additional_slaves_max = std::min(out.additional_slaves_max, limits_.additional_slaves_max);
  return out;
}

} // namespace qnfv

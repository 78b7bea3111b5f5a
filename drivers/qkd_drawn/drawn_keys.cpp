#include "drivers/qkd_drawn/drawn_keys.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <map>
#include <set>

namespace qnfv {

bool good_key_name(const std::string& x) {
  return !x.empty() && x.size() <= key_name_max
         && std::all_of(x.begin(), x.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool name_memory::insert(const std::string& name) {
  if (!names_.insert(name).second)
    return false;
  order_.push_back(name);
  if (order_.size() > max_) {
    names_.erase(order_.front());
    order_.pop_front();
  }
  return true;
}

namespace {

bool has_bits(const std::vector<drawn_key>& keys, const secret& bits) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](auto& x) { return equal_constant_time(x.bits.view(), bits.view()); });
}

} // namespace

size_t take_fresh(std::vector<drawn_key> arrived, std::vector<drawn_key>& into, size_t keys_max,
                  name_memory& seen) {
  size_t thrown_away = 0;
  for (auto& x : arrived) {
    auto good = good_key_name(x.name) && x.bits.size() == key_bytes;
    if (good && !seen.insert(x.name)) {
      good = false;
      // Which of the two the other end would get nobody knows.
      auto same = std::find_if(into.begin(), into.end(), [&](auto& y) { return y.name == x.name; });
      if (same != into.end()) {
        into.erase(same);
        ++thrown_away;
      }
    }
    if (good && into.size() < keys_max && !has_bits(into, x.bits))
      into.push_back(std::move(x));
    else
      ++thrown_away;
  }
  return thrown_away;
}

std::string problem_of(const block_id& block, const std::vector<std::string>& names,
                       uint32_t block_keys_max) {
  if (block.count != names.size() || block.count < block_keys_min || block.count > block_keys_max)
    return std::to_string(names.size()) + " names for a block of " + std::to_string(block.count)
           + " keys";
  if (!std::all_of(names.begin(), names.end(), good_key_name))
    return "a name that is none";
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size())
    return "a key that is there twice";
  return {};
}

std::vector<uint32_t> positions_of(const std::vector<std::string>& names,
                                   std::vector<drawn_key>& fetched) {
  std::map<std::string, drawn_key*> by_name;
  for (auto& x : fetched)
    by_name.emplace(x.name, &x);
  std::vector<uint32_t> out;
  std::vector<drawn_key> ordered;
  for (uint32_t i = 0; i < names.size(); ++i) {
    auto found = by_name.find(names[i]);
    if (found == by_name.end())
      continue;
    out.push_back(i);
    ordered.push_back(*found->second);
  }
  fetched = std::move(ordered);
  return out;
}

result<std::vector<drawn_key>> select(const std::vector<drawn_key>& drawn, const block_id& block,
                                      const std::vector<uint32_t>& held) {
  if (held.size() != block.count)
    return {ec::invalid_argument, "positions of " + std::to_string(held.size()) + " keys for "
                                    + std::to_string(block.count)};
  std::vector<drawn_key> out;
  for (size_t i = 0; i < held.size(); ++i) {
    if (held[i] >= drawn.size() || (i > 0 && held[i] <= held[i - 1]))
      return {ec::invalid_argument, "position " + std::to_string(held[i]) + " of "
                                      + std::to_string(drawn.size()) + " keys"};
    out.push_back(drawn[held[i]]);
  }
  return out;
}

key_block make_block(const block_id& block, const std::vector<drawn_key>& keys) {
  assert(block.count == keys.size());
  key_block out{block, secret{keys.size() * key_bytes}, {}};
  for (size_t i = 0; i < keys.size(); ++i) {
    assert(keys[i].bits.size() == key_bytes);
    std::memcpy(out.material.data() + i * key_bytes, keys[i].bits.view().data(), key_bytes);
  }
  return out;
}

} // namespace qnfv

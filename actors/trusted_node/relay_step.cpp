#include "actors/trusted_node/relay_step.hpp"

#include "runtime/crypto/one_time.hpp"

#include <algorithm>

namespace qnfv {

namespace {

void put(bytes& to, byte_view x) {
  to.insert(to.end(), x.begin(), x.end());
}

void put32(bytes& to, size_t x) {
  uint8_t out[4];
  store_be32(out, static_cast<uint32_t>(x));
  put(to, {out, sizeof out});
}

void put64(bytes& to, uint64_t x) {
  uint8_t out[8];
  store_be64(out, x);
  put(to, {out, sizeof out});
}

void put_name(bytes& to, const std::string& x) {
  put(to, byte_view{x});
  to.push_back(0);
}

void put_ids(bytes& to, const std::vector<key_id>& ids) {
  put32(to, ids.size());
  for (auto& id : ids)
    put(to, id.value);
}

/// Into secret memory, whichever of the two is the cipher text.
secret xor_of(byte_view a, byte_view b) {
  secret out{a};
  for (size_t i = 0; i < a.size(); ++i)
    out.data()[i] ^= b[i];
  return out;
}

bool good(const hop_keys& x, size_t count) {
  return x.ids.size() == count + 1 && x.bits.size() == count + 1
         && std::all_of(x.bits.begin(), x.bits.end(),
                        [](auto& key) { return key.size() == key_bytes; });
}

failure bad_sizes() {
  return {ec::invalid_argument,
          "a relay takes a pad of 256 bits for each key and one key for its tag"};
}

} // namespace

void hop_keys::wipe() {
  for (auto& x : bits)
    x.wipe();
  bits.clear();
}

hop_keys take(std::vector<key_grant>& grants) {
  hop_keys out;
  for (auto& x : grants) {
    out.ids.push_back(x.id);
    out.bits.push_back(std::move(x.material));
  }
  grants.clear();
  return out;
}

bytes tagged_text(const relay_route& route, uint32_t hop, const std::vector<key_id>& pads,
                  const wrapped_batch& x) {
  bytes out;
  out.reserve(256 + 16 * (pads.size() + x.next.size()) + x.wrapped.size());
  put_name(out, "qnfv relay 1");
  put(out, route.id.value);
  put32(out, hop);
  out.push_back(0);
  put32(out, route.share);
  put_name(out, route.block.link.value);
  put32(out, route.block.session);
  out.push_back(static_cast<uint8_t>(route.block.allocator));
  put64(out, route.block.first);
  put32(out, route.block.count);
  out.push_back(static_cast<uint8_t>(route.path.size()));
  for (auto& site : route.path)
    put_name(out, site.value);
  put_ids(out, pads);
  put_ids(out, x.next);
  put32(out, x.wrapped.size());
  put(out, x.wrapped);
  return out;
}

result<wrapped_batch> wrap(const relay_route& route, uint32_t hop, const hop_keys& pads,
                           const std::vector<key_id>& next, const std::vector<secret>& keys) {
  if (!good(pads, route.block.count) || (!keys.empty() && keys.size() != route.block.count))
    return bad_sizes();
  wrapped_batch out;
  out.next = next;
  out.wrapped.reserve(keys.size() * key_bytes);
  for (size_t i = 0; i < keys.size(); ++i) {
    auto cipher = one_time_pad(pads.bits[i].view(), keys[i].view());
    if (!cipher)
      return cipher.error();
    put(out.wrapped, *cipher);
  }
  auto tag = one_time_mac(pads.bits.back().view(), tagged_text(route, hop, pads.ids, out));
  if (!tag)
    return tag.error();
  out.tag = *tag;
  return out;
}

result<std::vector<secret>> unwrap(const relay_route& route, uint32_t hop, const hop_keys& pads,
                                   const wrapped_batch& x, bool is_last) {
  auto count = route.block.count;
  if (!good(pads, count))
    return bad_sizes();
  auto tag = one_time_mac(pads.bits.back().view(), tagged_text(route, hop, pads.ids, x));
  if (!tag)
    return tag.error();
  if (!equal_constant_time(*tag, x.tag))
    return {ec::digest_mismatch, "the tag of hop " + std::to_string(hop) + " is wrong"};
  if (x.wrapped.size() != (is_last ? 0 : count * key_bytes))
    return bad_sizes();
  std::vector<secret> out;
  for (size_t i = 0; i < count; ++i)
    out.push_back(
        is_last ? secret{pads.bits[i].view()}
                : xor_of(pads.bits[i].view(), byte_view{x.wrapped}.part(i * key_bytes, key_bytes)));
  return out;
}

secret joined(const std::vector<secret>& keys) {
  secret out{keys.size() * key_bytes};
  auto* to = out.data();
  for (auto& key : keys)
    to = std::copy(key.view().begin(), key.view().end(), to);
  return out;
}

secret combined(const std::vector<secret>& shares) {
  secret out{shares.front().view()};
  for (size_t i = 1; i < shares.size(); ++i)
    out = xor_of(out.view(), shares[i].view());
  return out;
}

} // namespace qnfv

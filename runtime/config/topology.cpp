#include "runtime/config/topology.hpp"

#include "runtime/config/json.hpp"
#include "runtime/config/topology_reader.hpp"

#include <openssl/sha.h>

#include <algorithm>

namespace qnfv {

const site_config* topology::site(const site_id& x) const {
  auto i = std::find_if(sites.begin(), sites.end(), [&](auto& s) { return s.site == x; });
  return i == sites.end() ? nullptr : &*i;
}

const site_config& topology::orchestrator() const {
  return *std::find_if(sites.begin(), sites.end(), [](auto& s) { return s.orchestrator; });
}

std::vector<const link_config*> topology::links_of(const site_id& x) const {
  std::vector<const link_config*> out;
  for (auto& link : links)
    if (link.bob_site == x || link.alice_site == x)
      out.push_back(&link);
  return out;
}

const link_config* topology::link_between(const site_id& a, const site_id& b) const {
  for (auto& link : links)
    if ((link.bob_site == a && link.alice_site == b) || (link.bob_site == b && link.alice_site == a))
      return &link;
  return nullptr;
}

std::vector<const virtual_link_config*> topology::virtual_links_of(const site_id& x) const {
  std::vector<const virtual_link_config*> out;
  for (auto& link : virtual_links)
    if (link.a == x || link.b == x)
      out.push_back(&link);
  return out;
}

const virtual_link_config* topology::virtual_link_between(const site_id& a, const site_id& b) const {
  for (auto& link : virtual_links)
    if ((link.a == a && link.b == b) || (link.a == b && link.b == a))
      return &link;
  return nullptr;
}

link_id topology::key_link_between(const site_id& a, const site_id& b) const {
  if (auto* link = link_between(a, b))
    return link->link;
  auto* link = virtual_link_between(a, b);
  return link ? link->link : link_id{};
}

bool topology::time_shared() const {
  return std::any_of(links.begin(), links.end(), [](auto& link) { return link.switched; });
}

bool topology::relays(const site_id& x) const {
  auto* config = site(x);
  auto passes = config && config->trusted_node && links_of(x).size() > 1 && !virtual_links.empty();
  return passes || !virtual_links_of(x).empty();
}

namespace {

std::string digest_of(const std::string& x) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> out;
  SHA256(reinterpret_cast<const uint8_t*>(x.data()), x.size(), out.data());
  return to_hex(out);
}

} // namespace

static result<topology> topology_of(const result<json_file>& file) {
  if (!file)
    return file.error();
  if (auto ok = check_schema(*file, topology_schema()); !ok)
    return ok.error();
  auto out = read_topology(*file);
  if (out)
    out->digest = digest_of(topology_to_json(*out));
  return out;
}

result<topology> parse_topology(std::string_view text, const std::string& file_name) {
  return topology_of(parse_json(text, file_name));
}

result<topology> load_topology(const std::string& path) {
  return topology_of(load_json(path));
}

} // namespace qnfv

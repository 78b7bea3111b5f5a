#include "runtime/deployment/node_id.hpp"

#include <openssl/rand.h>

#include <cstdlib>

// CAF's own definition sits in its shared library, which calls it through the procedure linkage
// table: the definition of the executable wins. That the executable holds this file is sure as long
// as it calls use_site_name_as_node_id.
caf::node_id caf::node_id::default_data::local(const actor_system_config& config) {
  auto name = get_or(config, "qnfv.site", std::string{"unnamed"});
  host_id_type host{};
  std::copy_n(name.begin(), std::min(name.size(), host.size()), host.begin());
  uint32_t process = 0;
  if (RAND_bytes(reinterpret_cast<uint8_t*>(&process), sizeof process) != 1)
    std::abort(); // Without entropy nothing that follows could be trusted.
  return make_node_id(process | 1u, host);
}

namespace qnfv {

void use_site_name_as_node_id(caf::actor_system_config& config, const site_id& site) {
  // Not config.set: it takes only options that CAF declares.
  caf::put(config.content, "qnfv.site", site.value);
}

node_bytes bytes_of(const caf::node_id& node) {
  auto* data = node ? dynamic_cast<const caf::node_id::default_data*>(&*node) : nullptr;
  if (!data)
    return {};
  auto host = data->host_id();
  return make_node_bytes(data->process_id(),
                         {reinterpret_cast<const char*>(host.data()), host.size()});
}

} // namespace qnfv

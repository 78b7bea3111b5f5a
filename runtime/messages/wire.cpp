#include "runtime/messages/wire.hpp"

#include "runtime/messages/admin.hpp"
#include "runtime/messages/faults.hpp"
#include "runtime/messages/images.hpp"
#include "runtime/messages/keys.hpp"
#include "runtime/messages/links.hpp"
#include "runtime/messages/paths.hpp"
#include "runtime/messages/relay.hpp"
#include "runtime/messages/schedule.hpp"
#include "runtime/messages/trace.hpp"
#include "runtime/messages/vnfs.hpp"

namespace qnfv {

void register_wire(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::qnfv_wire>();
  config.add_error_category(caf::atom("qnfv"),
                            [](uint8_t code, caf::atom_value, const caf::message& context) {
                              failure why{static_cast<ec>(code), {}};
                              if (context.size() > 0 && context.match_element<std::string>(0))
                                why.text = context.get_as<std::string>(0);
                              return describe(why);
                            });
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("middleman.app-identifiers", std::vector<std::string>{"qnfv/1"});
}

} // namespace qnfv

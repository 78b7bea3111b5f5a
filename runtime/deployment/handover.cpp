#include "runtime/deployment/handover.hpp"

#include "runtime/deployment/gateway.hpp"
#include "runtime/deployment/node_id.hpp"
#include "runtime/messages/message.hpp"

#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>

namespace qnfv {

namespace {

/// CAF finds a published actor by port; our sockets have none.
constexpr uint16_t some_port = 1;
constexpr auto broker_patience = std::chrono::seconds(1);

} // namespace

void configure_network(caf::actor_system_config& config, const site_id& site) {
  config.load<caf::io::middleman>();
  use_site_name_as_node_id(config, site);
  config.set("middleman.enable-automatic-connections", false);
}

handover::handover(caf::actor_system& system)
    : system_(system),
      broker_(system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"))) {}

void handover::serve(int descriptor, const caf::strong_actor_ptr& root) {
  caf::anon_send(broker_, caf::publish_atom_v, system_.middleman().backend().new_scribe(descriptor),
                 some_port, root, std::set<std::string>{});
}

void handover::connect(int descriptor, duration timeout,
                       std::function<void(result<caf::strong_actor_ptr>)> answer) {
  auto scribe = system_.middleman().backend().new_scribe(descriptor);
  auto ask = [scribe, timeout, answer = std::move(answer),
              broker = broker_](caf::event_based_actor* self) mutable {
    self->request(broker, timeout, caf::connect_atom_v, std::move(scribe), some_port)
        .then(
            [answer, self](caf::node_id&, caf::strong_actor_ptr& root, std::set<std::string>&) {
              if (root)
                answer(root);
              else
                answer({ec::site_unreachable, "the peer publishes nothing"});
              self->quit(); // Its pending time-out must not keep the system.
            },
            [answer, self](caf::error& why) {
              answer({ec::site_unreachable, "CAF: " + self->system().render(why)});
              self->quit();
            });
  };
  system_.spawn<caf::hidden>(std::move(ask));
}

void handover::after_pending(std::function<void()> answer) {
  // Any question does that changes nothing.
  auto ask = [answer = std::move(answer), broker = broker_,
              node = system_.node()](caf::event_based_actor* self) {
    self->request(broker, broker_patience, caf::get_atom_v, node)
        .then(
            [answer, self](const caf::node_id&, const std::string&, uint16_t) {
              answer();
              self->quit();
            },
            [answer, self](caf::error&) {
              answer();
              self->quit();
            });
  };
  system_.spawn<caf::hidden>(std::move(ask));
}

} // namespace qnfv

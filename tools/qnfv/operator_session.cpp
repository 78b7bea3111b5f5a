#include "tools/qnfv/operator_session.hpp"

#include "runtime/deployment/gateway.hpp"

namespace qnfv {

namespace {

struct operator_config : caf::actor_system_config {
  operator_config() {
    register_wire(*this);
    configure_network(*this, operator_name);
  }
};

} // namespace

struct operator_session::connection {
  operator_config config;
  caf::actor_system system{config};
  std::unique_ptr<gateway> door;
  std::map<std::string, caf::strong_actor_ptr> roles;
  std::unique_ptr<caf::scoped_actor> self;

  ~connection() {
    roles.clear();
    self.reset();
    door.reset();
  }
};

operator_session::operator_session(const lab_dir& lab, const topology& network, const site_id& site)
  : site_(site.empty() ? network.orchestrator().site : site),
    connection_(std::make_unique<connection>()) {
  auto* where = network.site(site_);
  if (!where)
    throw command_error{{ec::unknown_site, "no site " + site_.value + " in this lab"}};
  gateway_settings settings;
  settings.site = operator_name;
  settings.tls = tls_files{lab.pki() + "/ca.pem", lab.pki() + "/operator.pem",
                           lab.pki() + "/operator.key"};
  auto& c = *connection_;
  c.door = value_or_throw(gateway::open(c.system, settings, nullptr, nullptr));
  auto root = c.door->connect(site_, where->listen);
  if (!root)
    throw command_error{{root.error().code, "cannot reach site " + site_.value + " at "
                                              + where->listen + ": " + root.error().text
                                              + " (is the lab up? qnfv lab up TOPOLOGY)"}};
  c.roles["node"] = *root;
  c.self = std::make_unique<caf::scoped_actor>(c.system);
  join hello;
  hello.site = operator_name;
  auto answer = ask<joined>(node(), hello);
  for (auto& x : answer.roles)
    c.roles[x.role] = x.handle;
}

operator_session::~operator_session() = default;

caf::scoped_actor& operator_session::self() {
  return *connection_->self;
}

node_actor operator_session::node() const {
  return role<node_actor>("node");
}

caf::strong_actor_ptr operator_session::find(const std::string& role) const {
  auto i = connection_->roles.find(role);
  if (i == connection_->roles.end())
    throw command_error{{ec::unknown_site, "site " + site_.value + " has no role " + role}};
  return i->second;
}

} // namespace qnfv

#pragma once

// How compose_site does it: one composer per site, a file per group of roles. Inside tools/qnfv only.

#include "tools/qnfv/compose.hpp"

#include "actors/key_pool/key_pool.hpp"
#include "drivers/switch_emulator/switch_emulator.hpp"
#include "runtime/messages/channels.hpp"
#include "runtime/messages/vnfs.hpp"

namespace qnfv {

inline std::string device_role(const device_id& device) {
  return "qkd_device/" + device.value;
}

/// The driver of one end of a link; the two ends are at two sites.
inline std::string source_role(const link_id& link) {
  return "source/" + link.value;
}

inline std::string link_role(const link_id& link) {
  return "link/" + link.value;
}

inline std::string switch_role(const switch_id& name) {
  return "optical_switch/" + name.value;
}

/// Collects the roles of one site.
class composer {
public:
  composer(const topology& lab, const site_config& site, site_parts parts)
    : lab_(lab), site_(site), parts_(std::move(parts)) {}

  result<node_config> compose();

private:
  template <class Handle>
  Handle here(const std::string& role) {
    return parts_.all_gates->to<Handle>(site_.site, role);
  }

  template <class Handle>
  Handle at(const site_id& site, const std::string& role) {
    return parts_.all_gates->to<Handle>(site, role);
  }

  void add(std::string role, std::function<caf::strong_actor_ptr()> start) {
    out_.roles.push_back({std::move(role), std::move(start)});
  }

  template <class F, class Config>
  void add(std::string role, F behaviour, Config config) {
    auto& system = parts_.system;
    auto env = parts_.env;
    add(std::move(role), [&system, env, behaviour, config] {
      return caf::actor_cast<caf::strong_actor_ptr>(spawn_at(system, env, behaviour, config));
    });
  }

  /// Adds what a driver's start function starts; a failure ends the composition.
  template <class Start>
  bool add_driver(const std::string& role, const result<Start>& start) {
    if (start)
      add(role, *start);
    else if (problem_.text.empty())
      problem_ = start.error();
    return static_cast<bool>(start);
  }

  // compose.cpp
  void image_stream_role();
  void data_centre_roles();
  void orchestrator_roles();
  void prometheus_role();
  // compose_keys.cpp
  void key_plane();
  void trusted_node_role();
  std::function<result<std::unique_ptr<key_store>>(const key_pool_config::link_setting&,
                                                   key_pool_config::on_actor)>
  stores();
  void key_servers();
  void device_roles(const device_id&);
  void source_role_of(const link_config&);
  void link_role_of(const link_config&);
  void key_server_roles();
  // compose_optical.cpp
  void optical_roles();
  void switch_roles(const switch_config&);
  void controller_role();
  void scheduler_role();
  // compose_faults.cpp
  void fault_injector_role();
  channel_actor the_channel();
  vim_actor the_vim();
  std::vector<path_hop> way_of(const link_config&);
  std::vector<crossing_link> links_across(const switch_config&);
  std::map<switch_id, site_id> emulated_switches_of(const link_config&);

  const topology& lab_;
  const site_config& site_;
  site_parts parts_;
  node_config out_;
  failure problem_;
};

} // namespace qnfv

#pragma once

// A gate stands for a role, wherever that role is and however often it restarts: handles to gates
// are made once and stay good. A gate between two sites records what leaves, adds the causal
// context, refuses types that must not cross hosts, and asks the network of a simulation.

#include "runtime/system/actor.hpp"

#include <caf/monitorable_actor.hpp>

#include <mutex>

namespace qnfv {

class gate : public caf::monitorable_actor {
public:
  /// `to` is "site/role"; the gate crosses hosts if that site is not the environment's.
  gate(caf::actor_config&, environment_ptr env, site_id site, std::string role);

  void enqueue(caf::mailbox_element_ptr, caf::execution_unit*) override;
  void on_destroy() override;
  /// The gate is no more: watchers hear of it, and CAF's registry, where every actor lands whose
  /// handle was sent to another node, lets go of it. The registry's own end would be too late: it
  /// would be changed while it is being destroyed.
  void end();
  const char* name() const override { return role_.c_str(); }

  /// From now on messages go to `target`; none while it is null: a request is then answered with
  /// site_unreachable at once.
  void retarget(caf::strong_actor_ptr target);
  caf::strong_actor_ptr target() const;

  const site_id& site() const { return site_; }
  const std::string& role() const { return role_; }
  const environment_ptr& env() const { return env_; }

private:
  void refuse(const caf::mailbox_element&, ec, std::string text);

  const environment_ptr env_;
  const site_id site_;
  const std::string role_;
  const bool crosses_;
  mutable std::mutex mutex_;
  caf::strong_actor_ptr target_;
};

/// All gates of one site, made when first asked for. Any thread.
class gates {
public:
  gates(caf::actor_system& system, environment_ptr env) : system_(system), env_(std::move(env)) {}
  /// Ends all gates; must come before the system's end.
  ~gates();
  gates(const gates&) = delete;
  gates& operator=(const gates&) = delete;

  /// The handle of a role of a site of this lab.
  template <class Handle>
  Handle to(const site_id& site, const std::string& role) {
    return caf::actor_cast<Handle>(handle(site, role));
  }
  caf::strong_actor_ptr handle(const site_id& site, const std::string& role);

  void retarget(const site_id& site, const std::string& role, caf::strong_actor_ptr target);
  /// Lets go of every target at `site`.
  void cut(const site_id& site);
  /// Roles of `site` with a gate here.
  std::vector<std::string> roles(const site_id& site) const;

private:
  gate& find(const site_id& site, const std::string& role);

  caf::actor_system& system_;
  environment_ptr env_;
  mutable std::mutex mutex_;
  std::map<std::pair<site_id, std::string>, caf::strong_actor_ptr> gates_;
};

} // namespace qnfv

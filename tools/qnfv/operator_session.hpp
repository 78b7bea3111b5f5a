#pragma once

#include "runtime/config/topology.hpp"
#include "runtime/messages/images.hpp"
#include "tools/qnfv/commands.hpp"
#include "tools/qnfv/lab_dir.hpp"

#include <memory>

namespace qnfv {

/// An operator's connection to one site of a lab: mutual TLS with the operator's certificate, then
/// the typed messages of the site's roles. Every call throws command_error.
class operator_session {
public:
  /// Connects to `site`; empty: to the orchestrator's.
  operator_session(const lab_dir& lab, const topology& network, const site_id& site = {});
  ~operator_session();
  operator_session(const operator_session&) = delete;
  operator_session& operator=(const operator_session&) = delete;

  /// The site that answered.
  const site_id& site() const { return site_; }

  template <class T, class Handle, class Question>
  T ask(const Handle& to, Question question, duration timeout = std::chrono::seconds{10}) {
    return value_or_throw(try_ask<T>(to, std::move(question), timeout));
  }

  template <class T, class Handle, class Question>
  result<T> try_ask(const Handle& to, Question question,
                    duration timeout = std::chrono::seconds{10}) {
    result<T> out{failure{ec::maybe_executed, site_.value + " did not answer"}};
    self()
      ->request(to, timeout, std::move(question))
      .receive([&](T& x) { out = std::move(x); },
               [&](caf::error& why) { out = to_failure(why); });
    return out;
  }

  node_actor node() const;
  orchestrator_actor orchestrator() const { return role<orchestrator_actor>("orchestrator"); }
  image_store_actor image_store() const { return role<image_store_actor>("image_store"); }
  key_pool_actor key_pool() const { return role<key_pool_actor>("key_pool"); }

  template <class Handle>
  Handle role(const std::string& name) const {
    return caf::actor_cast<Handle>(find(name));
  }

private:
  struct connection;
  caf::strong_actor_ptr find(const std::string& role) const;
  caf::scoped_actor& self();

  site_id site_;
  std::unique_ptr<connection> connection_;
};

} // namespace qnfv

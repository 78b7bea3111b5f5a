#pragma once

// Real nodes with real gateways in one process, on loopback and in real time.

#include "runtime/deployment/gateway.hpp"
#include "runtime/deployment/node_id.hpp"
#include "runtime/messages/admin.hpp"
#include "runtime/system/actor.hpp"
#include "runtime/tls/pki.hpp"
#include "tests/support/folder.hpp"

#include <caf/io/middleman.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace qnfv::test {

using namespace std::chrono_literals;

constexpr auto patience = 10s;

/// Lines that other threads write and a test waits for.
class inbox {
public:
  void put(std::string x) {
    std::lock_guard<std::mutex> guard{mutex_};
    lines_.push_back(std::move(x));
    changed_.notify_all();
  }
  /// The first line that holds `part`; empty if none comes in time.
  std::string await(const std::string& part) {
    std::unique_lock<std::mutex> guard{mutex_};
    std::string out;
    changed_.wait_for(guard, patience, [&] {
      for (auto i = lines_.begin(); i != lines_.end(); ++i)
        if (i->find(part) != std::string::npos) {
          out = *i;
          lines_.erase(i);
          return true;
        }
      return false;
    });
    return out;
  }
  size_t count() {
    std::lock_guard<std::mutex> guard{mutex_};
    return lines_.size();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
};

struct network_config : caf::actor_system_config {
  explicit network_config(const std::string& site) {
    register_wire(*this);
    configure_network(*this, site_id{site});
    add_actor_type("anything", [](caf::event_based_actor*) -> caf::behavior {
      return {[](const accepted&) {}};
    });
  }
};

struct seen {
  std::atomic<int> messages{0};
  inbox events;
  std::mutex mutex;
  caf::strong_actor_ptr peer;
};

/// Stands for the node actor: answers, counts, and keeps what the gateway reports.
inline caf::behavior root_actor(caf::event_based_actor* self, std::string site, seen* s) {
  self->set_default_handler(
      [s](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
        ++s->messages;
        return caf::sec::unexpected_message;
      });
  return {[=](const site_status_query&) {
            ++s->messages;
            site_status out;
            out.site = site_id{site};
            out.peers.push_back({site_of(self->current_sender()), true, 0, 0, {}});
            return out;
          },
          [=](const peer_reached& x) {
            {
              std::lock_guard<std::mutex> guard{s->mutex};
              s->peer = x.node;
            }
            s->events.put("reached " + x.site.value);
          },
          [=](const peer_lost& x) { s->events.put("lost " + x.site.value + ": " + x.reason); }};
}

/// One node of a lab with a certificate of its own.
struct node {
  node(gateway_settings settings, const std::string& name = {})
      : config(name.empty() ? settings.site.value : name), system(config) {
    auto root = system.spawn(root_actor, settings.site.value, &state);
    root_handle = caf::actor_cast<caf::strong_actor_ptr>(root);
    settings.log = [this](const std::string& line) { log.put(line); };
    auto opened = gateway::open(system, std::move(settings), root_handle, root_handle);
    if (opened)
      net = std::move(*opened);
    else
      why = opened.error();
  }

  ~node() { end(); }

  void end() {
    if (!root_handle)
      return;
    caf::anon_send_exit(root_handle, caf::exit_reason::user_shutdown);
    if (net)
      net->stop();
    state.peer = nullptr;
    root_handle = nullptr;
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(net->port()); }

  caf::actor peer() {
    std::lock_guard<std::mutex> guard{state.mutex};
    return caf::actor_cast<caf::actor>(state.peer);
  }

  /// The site that answers, and the site it takes us for.
  std::string ask(const caf::actor& who) {
    caf::scoped_actor self{system};
    std::string out;
    self->request(who, 5s, site_status_query{})
        .receive([&](const site_status& x) { out = x.site.value + " to " + x.peers[0].site.value; },
                 [&](caf::error& x) { out = system.render(x); });
    return out;
  }

  network_config config;
  seen state;
  inbox log;
  caf::actor_system system;
  caf::strong_actor_ptr root_handle;
  std::unique_ptr<gateway> net;
  failure why{ec::none, {}};
};

struct gateway_lab {
  gateway_lab() {
    REQUIRE(pki_init(pki.path()));
    for (auto* name : {"co", "dc1", "dc2", "operator"})
      REQUIRE(pki_issue(pki.path(), name));
  }

  tls_files files(const std::string& name) const {
    return {pki / "ca.pem", pki / (name + ".pem"), pki / (name + ".key")};
  }

  gateway_settings settings(const std::string& site, std::vector<site_id> peers = {}) const {
    gateway_settings x;
    x.site = site_id{site};
    x.listen = "127.0.0.1:0";
    x.tls = files(site);
    x.peers = std::move(peers);
    return x;
  }

  temporary_folder pki;
};

inline const site_id co{"co"}, dc1{"dc1"}, dc2{"dc2"};

} // namespace qnfv::test

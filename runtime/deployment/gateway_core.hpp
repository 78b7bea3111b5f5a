#pragma once

// The inside of a gateway: its listener, its dials and its connections.

#include "runtime/deployment/connection.hpp"
#include "runtime/deployment/gateway.hpp"
#include "runtime/deployment/handover.hpp"
#include "runtime/deployment/node_id.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <map>
#include <thread>

namespace qnfv {

namespace asio = boost::asio;

/// All but the public face; everything private runs on the one thread.
class gateway::core : public connection_owner, public std::enable_shared_from_this<core> {
public:
  using reached = std::function<void(result<caf::strong_actor_ptr>)>;

  core(caf::actor_system& system, gateway_settings settings, caf::strong_actor_ptr root,
       caf::strong_actor_ptr events)
      : settings_(std::move(settings)), root_(std::move(root)), events_(std::move(events)),
        handover_(system), own_node_(bytes_of(system.node())), guard_(asio::make_work_guard(io_)),
        acceptor_(io_), accept_again_(io_), resolver_(io_) {}

  ~core() override { stop(); }

  status open();
  void post(std::function<void()> work) { asio::post(io_, std::move(work)); }

  void dial(const site_id& site, const std::string& address, reached answer);
  void tell_events(const site_id& site, result<caf::strong_actor_ptr> node);
  void close(const site_id& site, std::optional<node_bytes> keep);
  void stop();

  uint16_t port() const { return port_; }
  const gateway_settings& settings() const { return settings_; }

  gateway_counters counters() const {
    return {accepted_, admitted_, refused_, vetting_failed_, open_};
  }

private:
  status load_certificates();
  status listen();
  void accept();
  void accepted(asio::ip::tcp::socket);
  std::shared_ptr<connection> add(asio::ip::tcp::socket, std::optional<site_id> dialled,
                                  std::string address);
  void try_endpoints(std::shared_ptr<connection>, std::vector<asio::ip::tcp::endpoint>);

  result<vet_settings> admit(connection&, const std::string& name) override;
  void hand_over(connection&, int descriptor) override;
  void introduced(connection&) override;
  void ended(connection&, const failure&) override;
  void gone(connection&) override;

  void let_in(connection&);
  void forget(uint64_t id);
  /// A connection that will bring its own news of the site of `x`.
  bool has_successor(const connection& x);
  /// Another connection of the same node: CAF must have forgotten it first.
  bool has_older(const connection&, bool end_it);
  std::shared_ptr<connection> find(uint64_t id);
  void log(const std::string& line) {
    if (settings_.log)
      settings_.log(line);
  }

  const gateway_settings settings_;
  caf::strong_actor_ptr root_;
  caf::strong_actor_ptr events_;
  handover handover_;
  const node_bytes own_node_;
  std::shared_ptr<asio::ssl::context> tls_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer accept_again_;
  asio::ip::tcp::resolver resolver_;
  uint16_t port_ = 0;
  uint64_t next_id_ = 1;
  bool stopping_ = false;
  std::map<uint64_t, std::shared_ptr<connection>> connections_; ///< By age.
  std::map<uint64_t, reached> dials_;                           ///< Not yet answered.
  std::atomic<uint64_t> accepted_{0}, admitted_{0}, refused_{0}, vetting_failed_{0}, open_{0};
  std::thread thread_;
};

/// "site dc1: refuses to WHAT without certificates; ..."
failure no_certificates(const site_id&, const std::string& what);

} // namespace qnfv

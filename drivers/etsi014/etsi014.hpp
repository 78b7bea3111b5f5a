#pragma once

#include "drivers/etsi014/codec.hpp"
#include "drivers/http/owed_answer.hpp"
#include "drivers/http/server.hpp"
#include "runtime/system/actor.hpp"

#include <deque>

namespace qnfv {

struct etsi014_settings {
  http_server_settings http; ///< The body limit is ours.
  identity_rule identity = identity_rule::common_name;
  etsi014_compat compat;
  size_t waiting_max = 1024; ///< Requests that nobody has taken yet; more are answered 503.
};

/// The HTTPS door of one site's key server. It outlives the actor that serves it: its connections
/// stay when the actor restarts. Requests are read and checked on the I/O threads and wait here;
/// whoever serves is woken once for all of them.
class etsi014_door {
public:
  struct visitor {
    etsi014_call call; ///< Never an error: those are answered at the door.
    trace_context trace; ///< That it belongs to.
    std::shared_ptr<owed_answer> answer; ///< Let go unsent, it says 503.
  };

  /// Failures: as http_server::start.
  static result<std::shared_ptr<etsi014_door>> open(std::shared_ptr<io_pool>,
                                                    const etsi014_settings&);
  ~etsi014_door();
  etsi014_door(const etsi014_door&) = delete;
  etsi014_door& operator=(const etsi014_door&) = delete;

  uint16_t port() const;
  /// As http_server::stop; then everybody who waits is answered 503.
  void stop();
  const etsi014_compat& compat() const;

  /// From now on `wake` is called, on any thread, when visitors come and none were waiting. Ends
  /// with the next serve(), or with leave() of the number that it returns. While nobody serves,
  /// visitors are answered 503.
  uint64_t serve(std::function<void()> wake);
  void leave(uint64_t number);
  std::vector<visitor> take();

private:
  struct lobby;
  etsi014_door(std::shared_ptr<io_pool>, std::shared_ptr<lobby>, std::shared_ptr<http_server>);

  std::shared_ptr<io_pool> io_;
  std::shared_ptr<lobby> lobby_;
  std::shared_ptr<http_server> server_;
};

struct etsi014_config {
  std::shared_ptr<etsi014_door> door;
  key_server_actor key_server;
  uint32_t answer_timeout_ms = 10000; ///< Then a request is answered 503; its keys are lost.
};

struct etsi014_state {
  ~etsi014_state();

  struct open_request {
    time_point deadline;
    std::shared_ptr<owed_answer> answer;
  };

  static inline const char* name = "etsi014";
  etsi014_config config;
  uint64_t service = 0;
  std::deque<open_request> open; ///< In the order of their deadlines.
};

/// ETSI 014: the driver through which applications reach the key server over HTTPS.
key_service_actor::behavior_type etsi014(stateful<key_service_actor, etsi014_state>* self,
                                         etsi014_config config);

} // namespace qnfv

#pragma once

// The other end of an OpenFlow connection, message by message: a switch or a controller that does
// whatever a test wants.

#include "drivers/openflow/connection.hpp"

#include <catch2/catch.hpp>

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>

namespace qnfv::test {

class openflow_peer {
public:
  explicit openflow_peer(std::shared_ptr<openflow_connection> x)
      : connection_(std::move(x)), box_(std::make_shared<box>()) {
    auto weak = std::weak_ptr<openflow_connection>{connection_};
    connection_->start(
      [box = box_, weak](std::vector<bytes> messages) {
        {
          std::lock_guard<std::mutex> guard{box->mutex};
          for (auto& message : messages)
            box->messages.push_back(std::move(message));
          box->changed.notify_all();
        }
        if (auto connection = weak.lock())
          connection->read_on();
      },
      [box = box_](const std::string&) {
        std::lock_guard<std::mutex> guard{box->mutex};
        box->ended = true;
        box->changed.notify_all();
      });
  }

  static openflow_peer dial(boost::asio::io_context& io, const std::string& address) {
    std::promise<std::shared_ptr<openflow_connection>> opened;
    dial_openflow(
      io, *parse_openflow_endpoint(address), std::chrono::seconds{10},
      [&](result<std::shared_ptr<openflow_connection>> x) { opened.set_value(x ? *x : nullptr); });
    auto connection = opened.get_future().get();
    REQUIRE(connection);
    return openflow_peer{connection};
  }

  void send(bytes x) { connection_->send(std::move(x)); }

  /// The next message of that type; others before it are let go. Throws if none comes.
  bytes next(openflow_type type) {
    std::unique_lock<std::mutex> lock{box_->mutex};
    bytes out;
    auto came = box_->changed.wait_for(lock, std::chrono::seconds{20}, [&] {
      while (!box_->messages.empty()) {
        out = std::move(box_->messages.front());
        box_->messages.pop_front();
        if (read_header(out)->type == type)
          return true;
      }
      return false;
    });
    if (!came)
      throw std::runtime_error("no " + to_string(type) + " came");
    return out;
  }
  /// The next message but echo requests. Throws if none comes.
  bytes next() {
    std::unique_lock<std::mutex> lock{box_->mutex};
    bytes out;
    auto came = box_->changed.wait_for(lock, std::chrono::seconds{20}, [&] {
      while (!box_->messages.empty()) {
        out = std::move(box_->messages.front());
        box_->messages.pop_front();
        if (read_header(out)->type != openflow_type::echo_request)
          return true;
      }
      return false;
    });
    if (!came)
      throw std::runtime_error("no message came");
    return out;
  }
  bool ends() {
    std::unique_lock<std::mutex> lock{box_->mutex};
    return box_->changed.wait_for(lock, std::chrono::seconds{20}, [&] { return box_->ended; });
  }

private:
  struct box {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<bytes> messages;
    bool ended = false;
  };

  std::shared_ptr<openflow_connection> connection_;
  std::shared_ptr<box> box_;
};

inline uint32_t xid_of(const bytes& message) {
  return read_header(message)->xid;
}

} // namespace qnfv::test

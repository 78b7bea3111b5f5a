#pragma once

// A stretch of bad cable between a UDP client and a server: loses, repeats, delays (so reorders)
// and damages datagrams of both directions, by a seed.

#include "runtime/base/bytes.hpp"
#include "runtime/system/io.hpp"
#include "runtime/system/random.hpp"

#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <memory>
#include <string>

namespace qnfv::test {

struct cable_faults {
  double loss = 0;
  double twice = 0;
  double late = 0; ///< By 1 to 40 ms.
  double damage = 0;
};

class bad_cable : public std::enable_shared_from_this<bad_cable> {
public:
  using udp = boost::asio::ip::udp;

  static std::shared_ptr<bad_cable> lay(io_pool& io, const std::string& server, uint64_t seed,
                                        cable_faults faults) {
    auto out = std::make_shared<bad_cable>(io, server, seed, faults);
    boost::asio::post(out->strand_, [out] {
      out->receive(out->front_, true);
      out->receive(out->back_, false);
    });
    return out;
  }

  bad_cable(io_pool& io, const std::string& server, uint64_t seed, cable_faults f)
    : strand_(boost::asio::make_strand(io.context())),
      front_(strand_, udp::endpoint{boost::asio::ip::address_v4::loopback(), 0}),
      back_(strand_, udp::v4()), random_(make_seeded_random(seed)), faults_(f) {
    auto port = static_cast<uint16_t>(std::stoul(server.substr(server.rfind(':') + 1)));
    back_.connect({boost::asio::ip::address_v4::loopback(), port});
  }

  std::string address() const {
    return "127.0.0.1:" + std::to_string(front_.local_endpoint().port());
  }
  void cut() { cut_ = true; }
  uint64_t harmed() const { return harmed_; }

  void close() {
    boost::asio::post(strand_, [self = shared_from_this()] {
      boost::system::error_code ignored;
      self->front_.close(ignored);
      self->back_.close(ignored);
    });
  }

private:
  using strand = boost::asio::strand<boost::asio::io_context::executor_type>;
  using socket = boost::asio::basic_datagram_socket<udp, strand>;

  void receive(socket& from, bool to_server) {
    auto buffer = std::make_shared<bytes>(2048);
    auto sender = std::make_shared<udp::endpoint>();
    from.async_receive_from(boost::asio::buffer(*buffer), *sender,
                            [self = shared_from_this(), &from, to_server, buffer,
                             sender](boost::system::error_code error, size_t n) {
                              if (!from.is_open())
                                return;
                              if (!error) {
                                buffer->resize(n);
                                if (to_server)
                                  self->client_ = *sender;
                                self->pass(*buffer, to_server);
                              }
                              self->receive(from, to_server);
                            });
  }

  void pass(bytes x, bool to_server) {
    if (cut_ || random_->uniform() < faults_.loss) {
      ++harmed_;
      return;
    }
    if (random_->uniform() < faults_.damage) {
      ++harmed_;
      x[random_->next() % x.size()] ^= static_cast<uint8_t>(1 + random_->next() % 255);
    }
    if (random_->uniform() < faults_.twice) {
      ++harmed_;
      send(x, to_server);
    }
    if (random_->uniform() >= faults_.late)
      return send(x, to_server);
    ++harmed_;
    auto timer = std::make_shared<boost::asio::steady_timer>(
      strand_, std::chrono::milliseconds{1 + random_->next() % 40});
    timer->async_wait([self = shared_from_this(), timer, x, to_server](boost::system::error_code) {
      self->send(x, to_server);
    });
  }

  void send(const bytes& x, bool to_server) {
    boost::system::error_code ignored;
    if (to_server)
      back_.send(boost::asio::buffer(x), 0, ignored);
    else
      front_.send_to(boost::asio::buffer(x), client_, 0, ignored);
  }

  strand strand_;
  socket front_;
  socket back_;
  udp::endpoint client_;
  std::shared_ptr<random_source> random_;
  const cable_faults faults_;
  std::atomic<bool> cut_{false};
  std::atomic<uint64_t> harmed_{0};
};

} // namespace qnfv::test

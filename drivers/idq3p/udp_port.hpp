#pragma once

// The UDP port of an IDQ3P key server: datagrams to questions, answers to datagrams.

#include "drivers/idq3p/codec.hpp"
#include "runtime/base/result.hpp"
#include "runtime/tracing/wire_tap.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include <functional>
#include <memory>

namespace qnfv {

struct idq3p_port_settings {
  std::string listen = "127.0.0.1:5323"; ///< Numeric; port 0: any free one.
  /// The protocol has no authentication, and an answer is larger than its question: whoever can
  /// reach the port gets keys. Only for a network that ends at the encryptor.
  bool beyond_loopback = false;
  bool answer_damaged = false; ///< With "invalid request"; else silently dropped.
  uint32_t questions_max = 64; ///< Being answered; more are dropped.
  wire_tap tap;
};

/// What may be asked of a port at any time. Datagrams since its start.
struct idq3p_port_counters {
  uint64_t questions = 0; ///< Handed on.
  uint64_t answers = 0;
  uint64_t foreign = 0;  ///< Of another size or type.
  uint64_t damaged = 0;  ///< With a CRC that does not fit.
  uint64_t too_many = 0; ///< Dropped: `questions_max` were being answered.
  uint64_t unsent = 0;   ///< Answers that the socket did not take.
};

struct idq3p_question {
  idq3p_request request;
  idq3p_problem problem = idq3p_problem::none; ///< none, key_length, device or crc.
  boost::asio::ip::udp::endpoint from;
  std::shared_ptr<void> place; ///< Among `questions_max`; given back with the last copy.
};

class idq3p_udp_port {
public:
  using taker = std::function<void(idq3p_question)>;
  virtual ~idq3p_udp_port() = default;
  /// "127.0.0.1:5323", with the port that was really taken.
  virtual std::string address() const = 0;
  /// From now on `take` gets the questions, on a thread of the pool. Any thread.
  virtual void serve(taker take) = 0;
  /// Any thread.
  virtual void answer(secret datagram, const boost::asio::ip::udp::endpoint& to) = 0;
  virtual idq3p_port_counters counters() const = 0;
  /// Closes the port. Any thread; repeating changes nothing.
  virtual void stop() = 0;
};

/// The io_context must outlive the port.
/// Errors: bad_config (no address, or one beyond loopback), site_unreachable (cannot listen there).
result<std::shared_ptr<idq3p_udp_port>> open_idq3p_port(boost::asio::io_context&,
                                                        idq3p_port_settings);

/// "127.0.0.1:5323" or "[::1]:5323". Errors: bad_config.
result<boost::asio::ip::udp::endpoint> parse_udp_endpoint(const std::string&);
std::string to_text(const boost::asio::ip::udp::endpoint&);

} // namespace qnfv

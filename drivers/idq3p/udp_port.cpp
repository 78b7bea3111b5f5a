#include "drivers/idq3p/udp_port.hpp"

#include "runtime/deployment/address.hpp"
#include "runtime/tracing/context.hpp"
#include "runtime/tracing/wire_ends.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>

namespace qnfv {

namespace {

using boost::asio::ip::udp;
using error_code = boost::system::error_code;
using udp_strand = boost::asio::strand<boost::asio::io_context::executor_type>;

/// Everything but the counters and the address runs on the strand.
class udp_port : public idq3p_udp_port, public std::enable_shared_from_this<udp_port> {
public:
  udp_port(boost::asio::io_context& io, idq3p_port_settings s)
    : strand_(boost::asio::make_strand(io)), socket_(strand_), s_(std::move(s)) {}

  status start(const udp::endpoint& where) {
    error_code error;
    socket_.open(where.protocol(), error);
    if (!error)
      socket_.bind(where, error);
    if (!error)
      socket_.non_blocking(true, error);
    if (error)
      return {ec::site_unreachable, "cannot listen for key requests: " + error.message()};
    address_ = to_text(socket_.local_endpoint());
    return done{};
  }

  std::string address() const override { return address_; }

  void serve(taker take) override {
    boost::asio::post(strand_, [self = shared_from_this(), take = std::move(take)]() mutable {
      self->take_ = std::move(take);
      if (!std::exchange(self->receiving_, true))
        self->receive();
    });
  }

  void answer(secret datagram, const udp::endpoint& to) override {
    boost::asio::post(strand_, [self = shared_from_this(), datagram = std::move(datagram), to,
                                trace = current_trace()] {
      trace_scope scope{trace};
      self->send(datagram, to);
    });
  }

  idq3p_port_counters counters() const override {
    idq3p_port_counters out;
    out.questions = questions_;
    out.answers = answers_;
    out.foreign = foreign_;
    out.damaged = damaged_;
    out.too_many = too_many_;
    out.unsent = unsent_;
    return out;
  }

  void stop() override {
    boost::asio::post(strand_, [self = shared_from_this()] {
      error_code ignored;
      self->socket_.close(ignored);
      self->receiving_ = true;
      self->take_ = nullptr;
    });
  }

private:
  void receive() {
    socket_.async_receive_from(boost::asio::buffer(buffer_), from_,
                               [self = shared_from_this()](error_code error, size_t n) {
                                 if (!self->socket_.is_open())
                                   return;
                                 if (!error)
                                   self->arrived({self->buffer_.data(), n});
                                 // An error belongs to one datagram (a client that is gone);
                                 // without a pause one that stays would spin.
                                 error ? self->receive_later() : self->receive();
                               });
  }

  void receive_later() {
    auto timer =
      std::make_shared<boost::asio::steady_timer>(strand_, std::chrono::milliseconds{10});
    timer->async_wait([self = shared_from_this(), timer](error_code) { self->receive(); });
  }

  wire_ends ends_with(const udp::endpoint& peer) const { return {"idq3p", address_, to_text(peer)}; }

  void arrived(byte_view datagram) {
    if (s_.tap)
      s_.tap.received(ends_with(from_), show_idq3p(datagram));
    idq3p_question x;
    x.problem = decode(datagram, x.request);
    if (x.problem == idq3p_problem::size || x.problem == idq3p_problem::type) {
      ++foreign_;
      return;
    }
    if (x.problem == idq3p_problem::crc) {
      ++damaged_;
      if (!s_.answer_damaged)
        return;
    }
    if (!take_ || open_->load() >= s_.questions_max) {
      ++too_many_;
      return;
    }
    ++questions_;
    ++*open_;
    x.from = from_;
    x.place = std::shared_ptr<void>{nullptr, [open = open_](void*) { --*open; }};
    take_(std::move(x));
  }

  void send(const secret& datagram, const udp::endpoint& to) {
    error_code error;
    auto bits = datagram.view();
    socket_.send_to(boost::asio::buffer(bits.data(), bits.size()), to, 0, error);
    ++(error ? unsent_ : answers_);
    if (s_.tap && !error)
      s_.tap.sent(ends_with(to), show_idq3p(bits));
  }

  udp_strand strand_;
  boost::asio::basic_datagram_socket<udp, udp_strand> socket_;
  const idq3p_port_settings s_;
  std::string address_;
  taker take_;
  bool receiving_ = false; ///< Since the first taker: what comes before waits in the socket.
  std::array<uint8_t, idq3p_response_bytes + 1> buffer_{};
  udp::endpoint from_;
  std::shared_ptr<std::atomic<uint32_t>> open_ = std::make_shared<std::atomic<uint32_t>>(0);
  std::atomic<uint64_t> questions_{0}, answers_{0}, foreign_{0}, damaged_{0}, too_many_{0},
    unsent_{0};
};

} // namespace

result<udp::endpoint> parse_udp_endpoint(const std::string& text) {
  auto parsed = parse_host_port(text);
  if (!parsed)
    return parsed.error();
  auto where = parsed->endpoint();
  if (!where)
    return {ec::bad_config, text + ": not a numeric address"};
  return udp::endpoint{where->address(), where->port()};
}

std::string to_text(const udp::endpoint& x) {
  return endpoint_text(x);
}

result<std::shared_ptr<idq3p_udp_port>> open_idq3p_port(boost::asio::io_context& io,
                                                        idq3p_port_settings settings) {
  auto where = parse_udp_endpoint(settings.listen);
  if (!where)
    return where.error();
  if (!where->address().is_loopback() && !settings.beyond_loopback)
    return {ec::bad_config, settings.listen
                              + ": IDQ3P has no authentication; beyond loopback it "
                                "must be asked for (\"beyond_loopback\")"};
  auto out = std::make_shared<udp_port>(io, settings);
  if (auto ok = out->start(*where); !ok)
    return failure{ok.error().code, settings.listen + ": " + ok.error().text};
  return std::shared_ptr<idq3p_udp_port>{out};
}

} // namespace qnfv

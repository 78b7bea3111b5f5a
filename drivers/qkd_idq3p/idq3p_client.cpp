#include "drivers/qkd_idq3p/idq3p_client.hpp"

#include "drivers/idq3p/codec.hpp"
#include "runtime/deployment/address.hpp"
#include "runtime/tracing/context.hpp"
#include "runtime/tracing/wire_ends.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

namespace qnfv {

namespace {

using boost::asio::ip::udp;
using error_code = boost::system::error_code;
using udp_strand = boost::asio::strand<boost::asio::io_context::executor_type>;

result<udp::endpoint> parse_endpoint(const std::string& text) {
  auto parsed = parse_host_port(text);
  if (!parsed)
    return parsed.error();
  auto where = parsed->endpoint();
  if (!where || where->port() == 0)
    return {ec::bad_config, text + ": not a numeric address and port"};
  return udp::endpoint{where->address(), where->port()};
}

/// Everything runs on the strand.
class client_core : public std::enable_shared_from_this<client_core> {
public:
  using taker = key_server_client::taker;

  client_core(boost::asio::io_context& io, idq3p_client_settings s)
    : strand_(boost::asio::make_strand(io)), socket_(strand_), timer_(strand_), s_(std::move(s)),
      next_request_(s_.first_request) {}

  status open(const udp::endpoint& server) {
    error_code error;
    socket_.open(server.protocol(), error);
    // Connected: the kernel takes datagrams from this server only, and says if nobody listens
    // there.
    if (!error)
      socket_.connect(server, error);
    if (!error)
      socket_.non_blocking(true, error);
    if (error)
      return {ec::site_unreachable, s_.server + ": " + error.message()};
    ends_ = ends_of("idq3p", socket_);
    boost::asio::post(strand_, [self = shared_from_this()] { self->receive(); });
    return done{};
  }

  void ask(std::vector<std::string> names, uint32_t count, taker take) {
    boost::asio::post(strand_, [self = shared_from_this(), names = std::move(names), count,
                                take = std::move(take), trace = current_trace()]() mutable {
      self->trace_ = std::move(trace);
      self->names_ = std::move(names);
      self->left_ = count;
      self->at_ = 0;
      self->keys_.clear();
      self->take_ = std::move(take);
      self->next();
    });
  }

  void close() {
    boost::asio::post(strand_, [self = shared_from_this()] {
      error_code ignored;
      self->socket_.close(ignored);
      self->timer_.cancel();
      self->take_ = nullptr;
      self->keys_.clear();
    });
  }

private:
  /// The next request of the question under way: a new key, or the one called names_[at_].
  void next() {
    while (left_ > 0 && !names_.empty() && !parse_idq3p_id(names_[at_]))
      skip();
    if (left_ == 0)
      return finish();
    asked_ = {};
    if (!names_.empty())
      asked_.id = *parse_idq3p_id(names_[at_]);
    asked_.request = next_request_++;
    asked_.device = s_.device;
    waited_ = duration{0};
    send();
  }

  void skip() {
    ++at_;
    --left_;
  }

  void send() {
    auto datagram = encode(asked_);
    error_code error;
    socket_.send(boost::asio::buffer(datagram), 0, error);
    if (s_.tap && !error) {
      trace_scope scope{trace_};
      s_.tap.sent(ends_, show_idq3p(datagram));
    }
    // An error of an earlier datagram: this one was not sent, but will be repeated.
    auto wait = std::min(s_.repeat, s_.silence - waited_);
    waited_ += wait;
    timer_.expires_after(wait);
    timer_.async_wait([self = shared_from_this(), request = asked_.request](error_code cancelled) {
      if (!cancelled && self->take_ && self->asked_.request == request)
        self->waited_ < self->s_.silence ? self->send()
                                         : self->finish(ec::site_unreachable, "does not answer");
    });
  }

  void receive() {
    auto* to = buffer_.data();
    socket_.async_receive(boost::asio::buffer(to, buffer_.size()),
                          [self = shared_from_this()](error_code error, size_t n) {
                            if (!self->socket_.is_open())
                              return;
                            if (error && error != boost::asio::error::connection_refused)
                              return self->receive_later();
                            if (error)
                              self->refused();
                            else
                              self->arrived(self->buffer_.view().part(0, n));
                            self->receive();
                          });
  }

  /// An error that stays must not spin.
  void receive_later() {
    auto pause =
      std::make_shared<boost::asio::steady_timer>(strand_, std::chrono::milliseconds{10});
    pause->async_wait([self = shared_from_this(), pause](error_code) { self->receive(); });
  }

  void refused() {
    if (take_)
      finish(ec::site_unreachable, "is not there: nobody listens");
  }

  void arrived(byte_view datagram) {
    if (s_.tap) {
      trace_scope scope{trace_};
      s_.tap.received(ends_, show_idq3p(datagram));
    }
    idq3p_response x;
    if (!take_ || decode(datagram, x) != idq3p_problem::none || !answers(x, asked_))
      return;
    timer_.cancel();
    switch (x.status) {
    case idq3p_status::ok:
      keys_.push_back({to_string(x.id), x.key});
      break;
    case idq3p_status::no_more_keys:
      // Of a named key: not now; and there is no later for it.
      if (names_.empty())
        return finish();
      break;
    default:
      if (names_.empty())
        return finish(ec::not_allowed, "refuses to make keys: " + to_string(x.status));
    }
    skip();
    next();
  }

  void finish(ec code = ec::none, const std::string& problem = {}) {
    timer_.cancel();
    asked_.request = next_request_; // Answers to the last one come too late.
    auto take = std::exchange(take_, nullptr);
    auto keys = std::exchange(keys_, {});
    if (keys.empty() && code != ec::none)
      return take(failure{code, "key server " + s_.server + " " + problem});
    take(std::move(keys));
  }

  udp_strand strand_;
  boost::asio::basic_datagram_socket<udp, udp_strand> socket_;
  boost::asio::steady_timer timer_;
  const idq3p_client_settings s_;
  secret buffer_{idq3p_response_bytes + 1};
  uint32_t next_request_;
  idq3p_request asked_;
  duration waited_{0};
  taker take_; ///< Of the question under way; null: there is none.
  std::vector<std::string> names_;
  uint32_t left_ = 0;
  size_t at_ = 0;
  std::vector<drawn_key> keys_;
  trace_context trace_; ///< Of the question.
  wire_ends ends_;
};

class idq3p_client : public key_server_client {
public:
  explicit idq3p_client(std::shared_ptr<client_core> core) : core_(std::move(core)) {}
  ~idq3p_client() override { core_->close(); }
  void draw(uint32_t count_max, taker take) override { core_->ask({}, count_max, std::move(take)); }
  void fetch(std::vector<std::string> names, taker take) override {
    auto count = static_cast<uint32_t>(names.size());
    core_->ask(std::move(names), count, std::move(take));
  }

private:
  std::shared_ptr<client_core> core_;
};

} // namespace

result<std::unique_ptr<key_server_client>>
make_idq3p_client(boost::asio::io_context& io, const idq3p_client_settings& settings) {
  auto server = parse_endpoint(settings.server);
  if (!server)
    return server.error();
  auto core = std::make_shared<client_core>(io, settings);
  if (auto ok = core->open(*server); !ok)
    return ok.error();
  return std::unique_ptr<key_server_client>{std::make_unique<idq3p_client>(std::move(core))};
}

} // namespace qnfv

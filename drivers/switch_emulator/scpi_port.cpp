#include "drivers/switch_emulator/scpi_port.hpp"

#include "runtime/deployment/address.hpp"
#include "runtime/tracing/context.hpp"
#include "runtime/tracing/wire_ends.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <atomic>
#include <map>

namespace qnfv {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using error_code = boost::system::error_code;
using io_strand = asio::strand<asio::io_context::executor_type>;
using socket_type = asio::basic_stream_socket<tcp, io_strand>;

} // namespace

/// Everything but the address and the count runs on the strand: port and connections share it.
class scpi_port::core : public std::enable_shared_from_this<core> {
public:
  core(asio::io_context& io, scpi_port_settings s)
      : s_(std::move(s)), strand_(asio::make_strand(io)), acceptor_(strand_), pause_(strand_) {}

  status listen(const tcp::endpoint& where) {
    error_code error;
    acceptor_.open(where.protocol(), error);
    if (!error)
      acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error)
      acceptor_.bind(where, error);
    if (!error)
      acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      return {ec::site_unreachable, s_.listen + ": cannot listen: " + error.message()};
    address_ = endpoint_text(acceptor_.local_endpoint(error));
    asio::post(strand_, [self = shared_from_this()] { self->accept(); });
    return done{};
  }

  uint64_t serve(taker take) {
    auto number = ++service_;
    asio::post(strand_, [self = shared_from_this(), number, take = std::move(take)]() mutable {
      if (number < self->serving_)
        return;
      self->change_to(number, std::move(take));
    });
    return number;
  }

  void leave(uint64_t number) {
    asio::post(strand_, [self = shared_from_this(), number] {
      if (self->serving_ == number)
        self->change_to(number, nullptr);
    });
  }

  void stop() {
    asio::post(strand_, [self = shared_from_this()] {
      error_code ignored;
      self->acceptor_.close(ignored);
      self->pause_.cancel();
      self->change_to(self->serving_, nullptr);
    });
  }

  std::string address() const { return address_; }
  std::atomic<size_t> open{0};

private:
  class connection : public std::enable_shared_from_this<connection> {
  public:
    connection(std::shared_ptr<core> port, socket_type s)
        : port_(std::move(port)), socket_(std::move(s)), timer_(port_->strand_) {}

    void start() {
      error_code ignored;
      ends_ = ends_of("scpi", socket_);
      socket_.set_option(tcp::no_delay(true), ignored);
      within(port_->s_.idle_timeout);
      read();
    }

    /// Hands on the next whole line, if nobody is at one.
    void next_line() {
      while (!closed_ && !busy_ && port_->take_) {
        auto end = in_.find('\n');
        if (end == std::string::npos && in_.size() > scpi_line_max) {
          // Too long: its beginning stands for it, the rest is thrown away.
          hand_on(in_.substr(0, scpi_line_max + 1));
          in_.clear();
          skipping_ = true;
          return;
        }
        if (end == std::string::npos)
          break;
        auto line = in_.substr(0, end);
        in_.erase(0, end + 1);
        if (std::exchange(skipping_, false))
          continue;
        hand_on(std::move(line));
      }
      if (ended_ && !busy_)
        close();
    }

    void close() {
      if (closed_)
        return;
      closed_ = true;
      error_code ignored;
      socket_.close(ignored);
      timer_.cancel();
      port_->connections_.erase(this);
      port_->open = port_->connections_.size();
    }

  private:
    void within(duration limit) {
      timer_.expires_after(limit);
      timer_.async_wait([self = shared_from_this()](error_code cancelled) {
        if (!cancelled)
          self->close();
      });
    }

    /// Reads on while a line is being answered, so that the end of the connection shows; but never
    /// more than one line ahead.
    void read() {
      if (reading_ || ended_ || in_.size() > scpi_line_max)
        return;
      reading_ = true;
      socket_.async_read_some(asio::buffer(buffer_),
                              [self = shared_from_this()](error_code error, size_t n) {
                                self->reading_ = false;
                                if (self->closed_)
                                  return;
                                if (error)
                                  return self->ended(error);
                                self->arrived({self->buffer_.data(), n});
                              });
    }

    void ended(const error_code& error) {
      ended_ = true;
      if (error != asio::error::eof)
        return close();
      // The last line may lack its end.
      if (!in_.empty() && in_.back() != '\n')
        in_ += '\n';
      within(port_->s_.farewell_timeout);
      next_line();
    }

    void arrived(std::string_view part) {
      if (!busy_)
        within(port_->s_.idle_timeout);
      if (skipping_ && in_.empty()) {
        auto end = part.find('\n');
        part.remove_prefix(std::min(part.size(), end));
      }
      in_.append(part);
      next_line();
      read();
    }

    void hand_on(std::string line) {
      busy_ = true;
      if (port_->s_.tap)
        port_->s_.tap.received(ends_, show_scpi(line));
      if (!ended_)
        timer_.cancel();
      port_->take_(
        session_, std::move(line), [self = shared_from_this(), turn = ++turn_](std::string answer) {
          asio::post(self->port_->strand_, [self, turn, answer = std::move(answer),
                                            trace = current_trace()]() mutable {
            trace_scope scope{std::move(trace)};
            if (!self->closed_ && self->busy_ && self->turn_ == turn)
              self->answer(std::move(answer));
          });
        });
    }

    void answer(std::string text) {
      if (text.empty())
        return answered();
      if (port_->s_.tap)
        port_->s_.tap.sent(ends_, show_scpi(text));
      out_ = std::move(text) + "\n";
      within(port_->s_.farewell_timeout);
      asio::async_write(socket_, asio::buffer(out_),
                        [self = shared_from_this()](error_code error, size_t) {
                          if (self->closed_)
                            return;
                          if (error)
                            return self->close();
                          self->answered();
                        });
    }

    void answered() {
      busy_ = false;
      within(ended_ ? port_->s_.farewell_timeout : port_->s_.idle_timeout);
      next_line();
      if (!closed_)
        read();
    }

    const std::shared_ptr<core> port_;
    socket_type socket_;
    asio::steady_timer timer_;
    std::shared_ptr<scpi_session> session_ = std::make_shared<scpi_session>();
    std::array<char, 4096> buffer_{};
    std::string in_, out_;
    wire_ends ends_;
    uint64_t turn_ = 0; ///< Lines so far; an answer is for one of them.
    bool reading_ = false;
    bool busy_ = false;     ///< Somebody is at a line.
    bool skipping_ = false; ///< The rest of a line that is too long.
    bool ended_ = false;    ///< The client says no more.
    bool closed_ = false;
  };

  void change_to(uint64_t number, taker take) {
    serving_ = number;
    take_ = std::move(take);
    for (auto& x : std::map<connection*, std::weak_ptr<connection>>{connections_})
      if (auto held = x.second.lock())
        held->close();
  }

  void accept() {
    acceptor_.async_accept(strand_, [self = shared_from_this()](error_code error, socket_type s) {
      if (!self->acceptor_.is_open())
        return;
      if (error)
        return self->accept_later();
      if (self->take_ && self->connections_.size() < self->s_.connections_max) {
        auto x = std::make_shared<connection>(self, std::move(s));
        self->connections_[x.get()] = x;
        self->open = self->connections_.size();
        x->start();
      }
      self->accept();
    });
  }

  /// Out of descriptors: when some may be free.
  void accept_later() {
    pause_.expires_after(std::chrono::milliseconds{100});
    pause_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled)
        self->accept();
    });
  }

  const scpi_port_settings s_;
  io_strand strand_;
  asio::basic_socket_acceptor<tcp, io_strand> acceptor_;
  asio::steady_timer pause_;
  std::string address_;
  std::atomic<uint64_t> service_{0};
  uint64_t serving_ = 0;
  taker take_; ///< Null: nobody serves.
  /// What is under way on a connection holds it, and so does a line that is being answered.
  std::map<connection*, std::weak_ptr<connection>> connections_;
};

result<std::shared_ptr<scpi_port>> scpi_port::open(asio::io_context& io,
                                                   const scpi_port_settings& settings) {
  auto parsed = parse_host_port(settings.listen);
  if (!parsed)
    return parsed.error();
  auto where = parsed->endpoint();
  if (!where)
    return {ec::bad_config, settings.listen + ": not a numeric address"};
  if (!where->address().is_loopback() && !settings.beyond_loopback)
    return {ec::bad_config, settings.listen
                              + ": SCPI has no authentication; beyond loopback it must "
                                "be asked for"};
  auto inside = std::make_shared<core>(io, settings);
  if (auto ok = inside->listen(*where); !ok)
    return ok.error();
  return std::shared_ptr<scpi_port>{new scpi_port{std::move(inside)}};
}

scpi_port::scpi_port(std::shared_ptr<core> x) : core_(std::move(x)) {}

scpi_port::~scpi_port() {
  stop();
}

std::string scpi_port::address() const {
  return core_->address();
}

size_t scpi_port::connections() const {
  return core_->open;
}

uint64_t scpi_port::serve(taker take) {
  return core_->serve(std::move(take));
}

void scpi_port::leave(uint64_t number) {
  core_->leave(number);
}

void scpi_port::stop() {
  core_->stop();
}

} // namespace qnfv

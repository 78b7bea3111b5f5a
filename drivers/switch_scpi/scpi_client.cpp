#include "drivers/switch_scpi/scpi_client.hpp"

#include "drivers/scpi/codec.hpp"
#include "runtime/deployment/address.hpp"
#include "runtime/tracing/context.hpp"
#include "runtime/tracing/wire_ends.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <atomic>
#include <istream>

namespace qnfv {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using error_code = boost::system::error_code;
using io_strand = asio::strand<asio::io_context::executor_type>;

} // namespace

/// Everything but the counter runs on the strand.
class scpi_client::core : public std::enable_shared_from_this<core> {
public:
  core(asio::io_context& io, scpi_client_settings s, host_port where)
      : s_(std::move(s)), where_(std::move(where)), strand_(asio::make_strand(io)), timer_(strand_),
        resolver_(strand_) {}

  void ask(std::string line, taster fits, taker then) {
    asio::post(strand_, [self = shared_from_this(), line = std::move(line), fits = std::move(fits),
                         then = std::move(then), trace = current_trace()]() mutable {
      if (self->then_)
        return then(failure{ec::busy, self->describe("another question has no answer yet")});
      self->trace_ = std::move(trace);
      self->out_ = std::move(line) + "\n";
      self->fits_ = std::move(fits);
      self->then_ = std::move(then);
      self->sent_ = false;
      if (self->line_ && self->line_->up)
        self->transmit();
      else
        self->connect();
    });
  }

  void close() {
    asio::post(strand_, [self = shared_from_this()] {
      self->finish(failure{ec::cancelled, self->describe("the client is gone")});
    });
  }

  std::atomic<uint64_t> ignored{0};

private:
  /// One connection. What is under way on it holds it; a line that is no longer `line_` is dead.
  struct line {
    explicit line(const io_strand& strand) : socket(strand), in(scpi_line_max) {}
    asio::basic_stream_socket<tcp, io_strand> socket;
    asio::streambuf in;
    bool up = false;
  };
  using line_ptr = std::shared_ptr<line>;

  void within(duration limit, const char* problem) {
    timer_.expires_after(limit);
    timer_.async_wait([self = shared_from_this(), problem](error_code cancelled) {
      if (!cancelled && self->then_)
        self->broken(problem);
    });
  }

  void connect() {
    line_ = std::make_shared<line>(strand_);
    within(s_.connect_timeout, "no connection in time");
    if (auto known = where_.endpoint())
      return line_->socket.async_connect(*known, [self = shared_from_this(), l = line_](
                                                   error_code error) { self->opened(l, error); });
    resolver_.async_resolve(
      where_.host, std::to_string(where_.port),
      [self = shared_from_this(), l = line_](error_code error, tcp::resolver::results_type found) {
        if (error || l != self->line_)
          return self->opened(l, error);
        asio::async_connect(l->socket, found,
                            [self, l](error_code e, const tcp::endpoint&) { self->opened(l, e); });
      });
  }

  void opened(const line_ptr& l, error_code error) {
    if (l != line_)
      return;
    if (error)
      return broken(error.message());
    l->socket.set_option(tcp::no_delay(true), error);
    l->up = true;
    ends_ = ends_of("scpi", l->socket);
    // Always reading: so the end of an idle connection shows before something is sent into it.
    read(l);
    if (then_)
      transmit();
  }

  void transmit() {
    sent_ = true;
    within(s_.answer_timeout, "no answer in time");
    if (s_.tap) {
      trace_scope scope{trace_};
      s_.tap.sent(ends_, show_scpi(std::string_view{out_}.substr(0, out_.size() - 1)));
    }
    asio::async_write(line_->socket, asio::buffer(out_),
                      [self = shared_from_this(), l = line_](error_code error, size_t) {
                        if (l == self->line_ && error)
                          self->broken(error.message());
                      });
  }

  void read(const line_ptr& l) {
    asio::async_read_until(l->socket, l->in, '\n',
                           [self = shared_from_this(), l](error_code error, size_t) {
                             if (l != self->line_)
                               return;
                             if (error == asio::error::not_found)
                               return self->broken("a line that does not end");
                             if (error)
                               return self->broken(error.message());
                             self->arrived(*l);
                             if (l == self->line_)
                               self->read(l);
                           });
  }

  void arrived(line& l) {
    std::string text;
    std::istream in{&l.in};
    std::getline(in, text);
    if (s_.tap) {
      trace_scope scope{trace_};
      s_.tap.received(ends_, show_scpi(text));
    }
    if (!text.empty() && text.back() == '\r')
      text.pop_back();
    if (text.empty())
      return;
    if (sent_ && then_ && fits_(text))
      return finish(done{});
    ++ignored;
  }

  /// The connection ended, broke, or is of no use.
  void broken(const std::string& problem) {
    drop();
    finish(failure{sent_ ? ec::maybe_executed : ec::site_unreachable, describe(problem)});
  }

  void finish(status outcome) {
    timer_.cancel();
    if (!outcome)
      drop();
    sent_ = false;
    fits_ = nullptr;
    if (auto then = std::exchange(then_, nullptr))
      then(std::move(outcome));
  }

  void drop() {
    resolver_.cancel();
    auto l = std::exchange(line_, nullptr);
    if (!l)
      return;
    error_code ignored_error;
    l->socket.close(ignored_error);
  }

  std::string describe(const std::string& what) const { return s_.server + ": " + what; }

  const scpi_client_settings s_;
  const host_port where_;
  io_strand strand_;
  asio::steady_timer timer_;
  asio::ip::basic_resolver<tcp, io_strand> resolver_;
  line_ptr line_;
  std::string out_;
  taster fits_;
  taker then_; ///< Of the question under way; null: there is none.
  trace_context trace_; ///< Of the question.
  wire_ends ends_;
  bool sent_ = false;
};

result<std::shared_ptr<scpi_client>> scpi_client::make(asio::io_context& io,
                                                       const scpi_client_settings& settings) {
  auto where = parse_host_port(settings.server);
  if (!where)
    return where.error();
  if (where->port == 0 || settings.connect_timeout <= duration::zero()
      || settings.answer_timeout <= duration::zero())
    return {ec::bad_config, settings.server + ": port and time-outs must not be zero"};
  return std::shared_ptr<scpi_client>{
    new scpi_client{std::make_shared<core>(io, settings, std::move(*where))}};
}

scpi_client::scpi_client(std::shared_ptr<core> x) : core_(std::move(x)) {}

scpi_client::~scpi_client() {
  core_->close();
}

void scpi_client::ask(std::string line, taster fits, taker then) {
  core_->ask(std::move(line), std::move(fits), std::move(then));
}

uint64_t scpi_client::ignored() const {
  return core_->ignored;
}

} // namespace qnfv

#include "runtime/deployment/gateway.hpp"

#include "runtime/deployment/address.hpp"
#include "runtime/deployment/gateway_core.hpp"

#include <future>

namespace qnfv {

using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto accept_pause = std::chrono::milliseconds(100);

std::string text_of(const tcp::endpoint& x) {
  return x.address().to_string() + ":" + std::to_string(x.port());
}

} // namespace

failure no_certificates(const site_id& site, const std::string& what) {
  return {ec::bad_config, "site " + site.value + ": refuses to " + what
                              + " without certificates; run: qnfv pki issue " + site.value
                              + ", or use a loopback address"};
}

status gateway::core::open() {
  if (own_node_ != make_node_bytes(load_be32(own_node_.data() + 8), settings_.site.value))
    return {ec::internal, "the actor system is not named after the site: configure_network"};
  if (auto ok = load_certificates(); !ok)
    return ok;
  if (!settings_.listen.empty())
    if (auto ok = listen(); !ok)
      return ok;
  thread_ = std::thread([this] { io_.run(); });
  return done{};
}

status gateway::core::load_certificates() {
  if (!settings_.tls)
    return done{};
  auto context = make_tls_context(*settings_.tls);
  if (!context)
    return {context.error().code, "site " + settings_.site.value + ": " + context.error().text};
  auto name = certificate_name(settings_.tls->certificate);
  if (!name)
    return name.error();
  if (*name != settings_.site.value)
    return {ec::bad_config, "site " + settings_.site.value + ": " + settings_.tls->certificate
                                + " is the certificate of " + *name};
  tls_ = *context;
  return done{};
}

status gateway::core::listen() {
  auto address = parse_host_port(settings_.listen);
  if (!address)
    return address.error();
  auto endpoint = address->endpoint();
  if (!endpoint)
    return {ec::bad_config, "site " + settings_.site.value + ": \"" + settings_.listen
                                + "\" must be a numeric address"};
  if (!tls_ && !endpoint->address().is_loopback())
    return no_certificates(settings_.site, "listen on " + address->host);
  error_code error;
  acceptor_.open(endpoint->protocol(), error);
  if (!error)
    acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error)
    acceptor_.bind(*endpoint, error);
  if (!error)
    acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return {ec::site_unreachable, "site " + settings_.site.value + ": cannot listen on "
                                      + settings_.listen + ": " + error.message()};
  port_ = acceptor_.local_endpoint().port();
  accept();
  return done{};
}

void gateway::core::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (stopping_ || error == asio::error::operation_aborted)
      return;
    if (!error) {
      accepted(std::move(socket));
      return accept();
    }
    // Out of descriptors, for one: trying at once would only burn time.
    log("cannot accept: " + error.message());
    accept_again_.expires_after(accept_pause);
    accept_again_.async_wait([this](error_code stopped) {
      if (!stopped)
        accept();
    });
  });
}

void gateway::core::accepted(tcp::socket socket) {
  ++accepted_;
  error_code error;
  auto from = socket.remote_endpoint(error);
  if (error)
    return;
  uint32_t unproved = 0;
  connection* oldest = nullptr;
  for (auto& [id, x] : connections_)
    if (!x->dialled() && !x->admitted() && !x->ending()) {
      ++unproved;
      oldest = oldest ? oldest : x.get();
    }
  if (oldest && unproved >= settings_.handshakes_max)
    oldest->end({ec::busy, "too many handshakes at a time"});
  auto x = add(std::move(socket), std::nullopt, text_of(from));
  x->set_deadline(settings_.handshake_timeout,
                  {ec::site_unreachable,
                   "no handshake within " + format_duration(settings_.handshake_timeout)});
  x->start();
}

void gateway::core::stop() {
  if (!thread_.joinable())
    return;
  post([this] {
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    accept_again_.cancel();
    resolver_.cancel();
    auto all = connections_;
    for (auto& [id, x] : all) {
      x->muted = true;
      x->end({ec::cancelled, "closed"});
      if (x->forgetting)
        forget(id);
    }
    if (connections_.empty())
      io_.stop();
  });
  thread_.join();
  handover_.stop();
  root_ = nullptr;
  events_ = nullptr;
}

gateway::gateway(std::shared_ptr<core> x) : core_(std::move(x)) {}

gateway::~gateway() {
  stop();
}

result<std::unique_ptr<gateway>> gateway::open(caf::actor_system& system, gateway_settings settings,
                                               caf::strong_actor_ptr root,
                                               caf::strong_actor_ptr events) {
  auto made =
      std::make_shared<core>(system, std::move(settings), std::move(root), std::move(events));
  if (auto ok = made->open(); !ok)
    return ok.error();
  return std::unique_ptr<gateway>(new gateway(std::move(made)));
}

void gateway::dial(const site_id& site, const std::string& address) {
  core_->post([c = core_.get(), site, address] {
    c->dial(site, address,
            [c, site](result<caf::strong_actor_ptr> x) { c->tell_events(site, std::move(x)); });
  });
}

result<caf::strong_actor_ptr> gateway::connect(const site_id& site, const std::string& address) {
  auto promise = std::make_shared<std::promise<result<caf::strong_actor_ptr>>>();
  auto answer = promise->get_future();
  core_->post([c = core_.get(), site, address, promise] {
    c->dial(site, address,
            [promise](result<caf::strong_actor_ptr> x) { promise->set_value(std::move(x)); });
  });
  // Both deadlines lie within; this one is for a gateway that another thread stops.
  auto& settings = core_->settings();
  if (answer.wait_for(settings.connect_timeout + settings.handshake_timeout
                      + std::chrono::seconds(1))
      != std::future_status::ready)
    return {ec::site_unreachable, site.value + " did not answer"};
  return answer.get();
}

void gateway::close(const site_id& site) {
  core_->post([c = core_.get(), site] { c->close(site, std::nullopt); });
}

void gateway::close_others(const site_id& site, const caf::node_id& keep) {
  core_->post([c = core_.get(), site, keep = bytes_of(keep)] { c->close(site, keep); });
}

uint16_t gateway::port() const {
  return core_->port();
}

gateway_counters gateway::counters() const {
  return core_->counters();
}

void gateway::stop() {
  core_->stop();
}

} // namespace qnfv

#include "runtime/deployment/gateway_core.hpp"

#include "runtime/deployment/address.hpp"
#include "runtime/messages/admin.hpp"

#include <boost/asio/connect.hpp>

#include <algorithm>

namespace qnfv {

using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// CAF forgets a closed connection only after it has delivered what came over it, and a connection
/// of the same node before that leaves its routing table without a route.
constexpr auto forget_pause = std::chrono::milliseconds(50);

} // namespace

std::shared_ptr<connection> gateway::core::add(tcp::socket socket, std::optional<site_id> dialled,
                                               std::string address) {
  auto stream = tls_ ? make_tls_stream(std::move(socket), tls_)
                     : make_plain_stream(std::move(socket), settings_.site);
  auto id = next_id_++;
  auto x = std::make_shared<connection>(io_, *this, id, std::move(stream), std::move(dialled),
                                        std::move(address));
  connections_[id] = x;
  ++open_;
  return x;
}

void gateway::core::dial(const site_id& site, const std::string& address, reached answer) {
  if (stopping_)
    return answer({ec::cancelled, "the gateway is stopped"});
  auto to = parse_host_port(address);
  if (!to)
    return answer(to.error());
  auto x = add(tcp::socket(io_), site, address);
  dials_[x->id()] = std::move(answer);
  x->set_deadline(settings_.connect_timeout,
                  {ec::site_unreachable, "no connection to " + site.value + " at " + address
                                             + " within "
                                             + format_duration(settings_.connect_timeout)});
  if (auto endpoint = to->endpoint())
    return try_endpoints(x, {*endpoint});
  resolver_.async_resolve(
      to->host, std::to_string(to->port),
      [this, x](error_code error, tcp::resolver::results_type found) {
        if (error)
          return x->end({ec::site_unreachable, x->address() + ": " + error.message()});
        try_endpoints(x, {found.begin(), found.end()});
      });
}

void gateway::core::try_endpoints(std::shared_ptr<connection> x,
                                  std::vector<tcp::endpoint> endpoints) {
  if (x->ending())
    return;
  for (auto& endpoint : endpoints)
    if (!tls_ && !endpoint.address().is_loopback())
      return x->end(
          no_certificates(settings_.site, "connect to " + x->site().value + " at " + x->address()));
  auto connected = [this, x](error_code error, const tcp::endpoint&) {
    if (x->ending())
      return;
    if (error)
      return x->end({ec::site_unreachable, x->address() + ": " + error.message()});
    x->set_deadline(settings_.handshake_timeout,
                    {ec::site_unreachable, x->site().value + " did not finish the handshake within "
                                               + format_duration(settings_.handshake_timeout)});
    x->start();
  };
  asio::async_connect(x->stream().socket(), endpoints, std::move(connected));
}

result<vet_settings> gateway::core::admit(connection& x, const std::string& name) {
  if (x.dialled() && name != x.site().value)
    return {ec::not_allowed, x.address() + " is " + name + ", not " + x.site().value};
  auto& peers = settings_.peers;
  if (!x.dialled() && name != operator_name.value
      && std::find(peers.begin(), peers.end(), site_id{name}) == peers.end())
    return {ec::not_allowed, name + " is not a peer of " + settings_.site.value};
  auto inside = std::count_if(connections_.begin(), connections_.end(), [](auto& entry) {
    return entry.second->admitted() && !entry.second->ending();
  });
  auto of_name = std::count_if(connections_.begin(), connections_.end(), [&](auto& entry) {
    return entry.second->admitted() && !entry.second->ending()
           && entry.second->site().value == name;
  });
  if (static_cast<uint64_t>(inside) >= settings_.connections_max
      || static_cast<uint64_t>(of_name) >= settings_.connections_per_name_max)
    return {ec::busy, "too many connections"};
  ++admitted_;
  return vet_settings{name, x.dialled(), own_node_, settings_.payload_max_bytes};
}

void gateway::core::hand_over(connection& x, int descriptor) {
  if (!x.dialled())
    return handover_.serve(descriptor, root_);
  auto answer = [weak = weak_from_this(), id = x.id()](result<caf::strong_actor_ptr> root) {
    auto self = weak.lock();
    if (!self)
      return;
    self->post([self = self.get(), id, root = std::move(root)]() mutable {
      auto x = self->find(id);
      if (!x || x->ending())
        return;
      if (!root)
        return x->end(root.error());
      x->established = true;
      auto dial = self->dials_.extract(id);
      if (!dial.empty())
        dial.mapped()(std::move(root));
    });
  };
  handover_.connect(descriptor, settings_.handshake_timeout, std::move(answer));
}

void gateway::core::introduced(connection& x) {
  x.waits = true;
  if (!has_older(x, true))
    let_in(x);
}

void gateway::core::let_in(connection& x) {
  x.waits = false;
  if (!x.dialled())
    x.established = true;
  x.proceed();
}

bool gateway::core::has_older(const connection& x, bool end_it) {
  bool out = false;
  std::vector<std::shared_ptr<connection>> older;
  for (auto& [id, other] : connections_)
    if (id < x.id() && other->admitted() && other->vetter()->introduced()
        && other->vetter()->peer_node() == x.vetter()->peer_node())
      older.push_back(other);
  for (auto& other : older) {
    out = true;
    if (end_it)
      other->end({ec::site_unreachable, "replaced by a newer connection of the same node"});
  }
  return out;
}

void gateway::core::ended(connection& x, const failure& why) {
  if (x.vetting_failed)
    ++vetting_failed_;
  if (!x.dialled() && !x.admitted())
    ++refused_;
  if (!x.muted)
    log((x.site().empty() ? "a stranger" : x.site().value) + " at " + x.address() + ": "
        + why.text);
  if (auto dial = dials_.extract(x.id()); !dial.empty())
    return dial.mapped()(x.muted ? failure{ec::cancelled, "closed"} : why);
  if (!x.established || x.muted || !events_)
    return;
  if (has_successor(x))
    return;
  caf::anon_send(caf::actor_cast<caf::actor>(events_), peer_lost{x.site(), why.text});
}

bool gateway::core::has_successor(const connection& x) {
  for (auto& [id, other] : connections_) {
    if (other.get() == &x || other->ending() || other->muted || other->site() != x.site())
      continue;
    // A dial is answered in any case; an accepted one takes over the duty to be missed.
    if (!other->dialled())
      other->established = true;
    return true;
  }
  return false;
}

void gateway::core::gone(connection& x) {
  auto id = x.id();
  if (stopping_ || !x.vetter() || !x.vetter()->introduced())
    return forget(id);
  // Until CAF has forgotten the node too, the connection stays in our books.
  x.forgetting = true;
  auto pause = std::make_shared<asio::steady_timer>(io_, forget_pause);
  pause->async_wait([this, pause, id](error_code) {
    handover_.after_pending([weak = weak_from_this(), id] {
      if (auto self = weak.lock())
        self->post([self = self.get(), id] { self->forget(id); });
    });
  });
}

void gateway::core::forget(uint64_t id) {
  auto kept = find(id);
  if (!kept)
    return;
  connections_.erase(id);
  --open_;
  if (stopping_) {
    if (connections_.empty())
      io_.stop(); // Not just out of work: a name that is being looked up must not keep us.
    return;
  }
  auto all = connections_;
  for (auto& [other_id, other] : all)
    if (other->waits && !other->ending() && !has_older(*other, false))
      let_in(*other);
}

std::shared_ptr<connection> gateway::core::find(uint64_t id) {
  auto i = connections_.find(id);
  return i == connections_.end() ? nullptr : i->second;
}

void gateway::core::tell_events(const site_id& site, result<caf::strong_actor_ptr> node) {
  if (!events_ || (!node && node.error().code == ec::cancelled))
    return;
  auto to = caf::actor_cast<caf::actor>(events_);
  if (node)
    caf::anon_send(to, peer_reached{site, *node});
  else
    caf::anon_send(to, peer_lost{site, node.error().text});
}

void gateway::core::close(const site_id& site, std::optional<node_bytes> keep) {
  auto all = connections_;
  for (auto& [id, x] : all) {
    if (x->site() != site)
      continue;
    if (keep && (!x->admitted() || !x->vetter()->introduced() || x->vetter()->peer_node() == *keep))
      continue;
    x->muted = true;
    x->end({ec::cancelled, "closed"});
  }
}

} // namespace qnfv

#include "drivers/etsi014/etsi014.hpp"

#include <mutex>

namespace qnfv {

namespace {

/// 128 key ids with an extension each.
constexpr size_t body_limit_bytes = 64u << 10;

http_response not_now() {
  return answer(error_for({ec::busy, {}}, false, {}));
}

} // namespace

struct etsi014_door::lobby {
  identity_rule identity;
  etsi014_compat compat;
  size_t waiting_max;
  std::mutex mutex; ///< Of what follows.
  std::function<void()> wake;
  uint64_t service = 0;
  std::vector<visitor> waiting;

  void enter(const http_request& x, http_reply reply) {
    auto call = parse_call(x, compat);
    if (auto* error = std::get_if<etsi014_error>(&call))
      return reply(answer(*error));
    auto names = names_of(x.caller, identity);
    if (auto* ask = std::get_if<application_status_query>(&call))
      ask->caller = std::move(names);
    else if (auto* draw = std::get_if<draw_keys>(&call))
      draw->caller = std::move(names);
    else if (auto* fetch = std::get_if<fetch_keys>(&call))
      fetch->caller = std::move(names);
    visitor guest{std::move(call), current_trace(), std::make_shared<owed_answer>(std::move(reply), not_now)};
    admit(guest);
  }

  /// Takes the guest unless there is no room: then its answer goes with it.
  void admit(visitor& guest) {
    std::lock_guard<std::mutex> guard{mutex};
    if (!wake || waiting.size() >= waiting_max)
      return;
    waiting.push_back(std::move(guest));
    if (waiting.size() == 1)
      wake();
  }
};

result<std::shared_ptr<etsi014_door>> etsi014_door::open(std::shared_ptr<io_pool> io,
                                                         const etsi014_settings& settings) {
  auto inside = std::make_shared<lobby>();
  inside->identity = settings.identity;
  inside->compat = settings.compat;
  inside->waiting_max = settings.waiting_max;
  auto http = settings.http;
  http.body_limit_bytes = body_limit_bytes;
  auto server =
      http_server::start(io->context(), http, [inside](const http_request& x, http_reply reply) {
        inside->enter(x, std::move(reply));
      });
  if (!server)
    return server.error();
  return std::shared_ptr<etsi014_door>{
      new etsi014_door{std::move(io), std::move(inside), std::move(*server)}};
}

etsi014_door::etsi014_door(std::shared_ptr<io_pool> io, std::shared_ptr<lobby> inside,
                           std::shared_ptr<http_server> server)
    : io_(std::move(io)), lobby_(std::move(inside)), server_(std::move(server)) {}

etsi014_door::~etsi014_door() {
  stop();
}

void etsi014_door::stop() {
  server_->stop();
  serve(nullptr);
}

uint16_t etsi014_door::port() const {
  return server_->port();
}

const etsi014_compat& etsi014_door::compat() const {
  return lobby_->compat;
}

uint64_t etsi014_door::serve(std::function<void()> wake) {
  std::vector<visitor> left; // Answered without the lock.
  std::lock_guard<std::mutex> guard{lobby_->mutex};
  left.swap(lobby_->waiting);
  lobby_->wake = std::move(wake);
  return ++lobby_->service;
}

void etsi014_door::leave(uint64_t number) {
  std::vector<visitor> left;
  std::lock_guard<std::mutex> guard{lobby_->mutex};
  if (lobby_->service != number)
    return;
  left.swap(lobby_->waiting);
  lobby_->wake = nullptr;
}

std::vector<etsi014_door::visitor> etsi014_door::take() {
  std::lock_guard<std::mutex> guard{lobby_->mutex};
  return std::exchange(lobby_->waiting, {});
}

} // namespace qnfv

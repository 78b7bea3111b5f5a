#include "tools/qnfv/key_load.hpp"

#include "drivers/etsi014/codec.hpp"

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>

namespace qnfv {

namespace {

using namespace std::chrono;
using seconds_f = std::chrono::duration<double>;

struct run {
  explicit run(const load_settings& s) : settings(s) {}

  const load_settings& settings;
  boost::asio::io_context io{1};
  bool counting = false;
  bool ended = false;
  failure why{ec::none, {}};
  std::vector<float> times_ms;

  void fail(failure x) {
    if (why.code == ec::none)
      why = std::move(x);
    ended = true;
    io.stop();
  }
};

class pair_client {
public:
  explicit pair_client(run& r) : run_(r) {}

  status open() {
    for (auto [to, server] : {std::make_pair(&first_, &run_.settings.first),
                              std::make_pair(&second_, &run_.settings.second)}) {
      http_client_settings x;
      x.server = server->address;
      x.tls = server->tls;
      x.expected_name = server->expected_name;
      auto made = http_client::make(run_.io, x);
      if (!made)
        return made.error();
      *to = *made;
    }
    return done{};
  }

  void begin() {
    began_ = steady_clock::now();
    static const std::string one_key = R"({"number":1,"size":256})";
    auto& s = run_.settings;
    auto then = [this](result<client_response> x) { drawn(std::move(x)); };
    if (s.fixed)
      first_->send("GET", s.first.path, {}, then);
    else
      first_->send("POST", s.first.path, byte_view{one_key}, then);
  }

private:
  bool good(const result<client_response>& x) {
    if (run_.ended)
      return false;
    if (x && x->status == 200)
      return true;
    run_.fail(x ? failure{ec::internal,
                          "HTTP " + std::to_string(x->status) + ": "
                              + (x->status == 503 ? "no keys left, or no answer" : "refused")}
                : x.error());
    return false;
  }

  void drawn(result<client_response> x) {
    if (!good(x))
      return;
    auto& s = run_.settings;
    auto then = [this](result<client_response> y) { fetched(std::move(y)); };
    if (s.fixed)
      return second_->send("GET", s.second.path, {}, then);
    auto keys = parse_key_container(x->body);
    if (!keys || keys->keys.size() != 1)
      return run_.fail({ec::internal, "no key in the answer"});
    key_ = std::move(keys->keys.front());
    second_->send("GET", s.second.path + to_string(key_.id), {}, then);
  }

  void fetched(result<client_response> x) {
    if (!good(x))
      return;
    if (!run_.settings.fixed) {
      auto keys = parse_key_container(x->body);
      if (!keys || keys->keys.size() != 1 || keys->keys.front().id != key_.id
          || !equal_constant_time(keys->keys.front().material.view(), key_.material.view()))
        return run_.fail({ec::digest_mismatch, "the two ends answered different bits"});
    }
    if (run_.counting)
      run_.times_ms.push_back(
          std::chrono::duration<float, std::milli>(steady_clock::now() - began_).count());
    begin();
  }

  run& run_;
  std::shared_ptr<http_client> first_, second_;
  steady_clock::time_point began_;
  key_grant key_;
};

double percentile(std::vector<float>& x, double share) {
  if (x.empty())
    return 0;
  auto at = x.begin() + static_cast<long>(share * static_cast<double>(x.size() - 1));
  std::nth_element(x.begin(), at, x.end());
  return *at;
}

} // namespace

result<load_result> run_load(const load_settings& settings) {
  run r{settings};
  std::vector<std::unique_ptr<pair_client>> clients;
  for (uint32_t i = 0; i < settings.clients; ++i) {
    clients.push_back(std::make_unique<pair_client>(r));
    if (auto ok = clients.back()->open(); !ok)
      return ok.error();
  }
  double cpu_s = 0, took_s = 0;
  steady_clock::time_point began;
  boost::asio::steady_timer timer{r.io};
  timer.expires_after(duration_cast<steady_clock::duration>(seconds_f{settings.warm_up_s}));
  timer.async_wait([&](auto) {
    r.counting = true;
    cpu_s = settings.server_cpu_s();
    began = steady_clock::now();
    timer.expires_after(duration_cast<steady_clock::duration>(seconds_f{settings.seconds}));
    timer.async_wait([&](auto) {
      cpu_s = settings.server_cpu_s() - cpu_s;
      took_s = seconds_f{steady_clock::now() - began}.count();
      r.ended = true;
      r.io.stop();
    });
  });
  boost::asio::signal_set signals{r.io, SIGINT, SIGTERM};
  signals.async_wait([&](auto error, int) {
    if (!error)
      r.fail({ec::cancelled, "interrupted"});
  });
  for (auto& client : clients)
    client->begin();
  r.io.run();
  clients.clear();
  if (r.why.code != ec::none)
    return r.why;
  load_result out;
  out.pairs = r.times_ms.size();
  if (out.pairs == 0)
    return {ec::maybe_executed, "no pair was done in time"};
  out.pairs_per_s = static_cast<double>(out.pairs) / took_s;
  out.server_cpu_us_per_pair = cpu_s * 1e6 / static_cast<double>(out.pairs);
  out.p50_ms = percentile(r.times_ms, 0.5);
  out.p99_ms = percentile(r.times_ms, 0.99);
  return out;
}

} // namespace qnfv

#include "drivers/switch_restconf/switch_restconf.hpp"

#include "drivers/http/basic_auth.hpp"
#include "drivers/restconf/codec.hpp"

#include <algorithm>
#include <atomic>

namespace qnfv {

namespace {

const std::string data = "/api/data/";

bool succeeded(uint16_t status) {
  return status >= 200 && status < 300;
}

std::string_view text_of(const secret& x) {
  return {reinterpret_cast<const char*>(x.view().data()), x.size()};
}

/// Holds itself while a question is under way.
class restconf_switch : public switch_client, public std::enable_shared_from_this<restconf_switch> {
public:
  explicit restconf_switch(std::shared_ptr<http_client> http) : http_(std::move(http)) {}

  void identify(taker<switch_identity> take) override {
    get<restconf_product>("product-information", parse_restconf_product,
                          [self = shared_from_this(), take](result<restconf_product> x) {
                            if (!x)
                              return take(x.error());
                            self->measure({x->manufacturer + " " + x->model_name, 0}, take);
                          });
  }

  void read(taker<std::vector<cross_connection>> take) override {
    read_list([self = shared_from_this(), take](uint16_t, result<restconf_pairs> x) {
      if (!x)
        return take(x.error());
      std::vector<cross_connection> out;
      for (auto& pair : *x)
        out.push_back({pair.ingress, pair.egress});
      take(std::move(out));
    });
  }

  void join(cross_connection x, taker<done> take) override {
    auto body = print_restconf(restconf_pairs{{x.in, x.out}}, list_);
    send("PATCH", data + "cross-connects/" + list_, body, [take](result<client_response> y) {
      if (!y)
        return take(y.error());
      take(succeeded(y->status) ? status{done{}}
                                : status{restconf_failure(y->status, text_of(y->body))});
    });
  }

  void part(cross_connection x, taker<done> take) override {
    send("DELETE", data + "cross-connects/" + list_ + "=" + std::to_string(x.in), {},
         [take](result<client_response> y) {
           if (!y)
             return take(y.error());
           // 404: it was parted in the meantime.
           take(succeeded(y->status) || y->status == 404
                  ? status{done{}}
                  : status{restconf_failure(y->status, text_of(y->body))});
         });
  }

  void read_ports(uint16_t size, taker<std::vector<port_state>> take) override {
    get<std::vector<restconf_port>>(
      "port-config/port", parse_restconf_ports, [size, take](result<std::vector<restconf_port>> x) {
        if (!x)
          return take(x.error());
        std::vector<port_state> out(2u * size, port_state::enabled);
        for (auto& port : *x)
          if (port.id <= out.size())
            out[port.id - 1u] = port.state == restconf_state::failed     ? port_state::failed
                                : port.state == restconf_state::disabled ? port_state::disabled
                                                                         : port_state::enabled;
        take(std::move(out));
      });
  }

  uint64_t ignored() const override { return nonsense_; }

private:
  using response_taker = std::function<void(result<client_response>)>;

  void send(std::string method, std::string target, const std::string& body, response_taker then) {
    http_->send(std::move(method), std::move(target), byte_view{body},
                [self = shared_from_this(), then = std::move(then)](result<client_response> x) {
                  then(std::move(x));
                });
  }

  /// An answer that means nothing is counted, and a failure of the device.
  template <class T>
  result<T> understood(const client_response& x, result<T> (*parse)(std::string_view)) {
    if (!succeeded(x.status))
      return restconf_failure(x.status, text_of(x.body));
    auto out = parse(text_of(x.body));
    if (out)
      return out;
    ++nonsense_;
    return failure{ec::device_failed, "the switch answers nonsense: " + out.error().text};
  }

  template <class T>
  void get(const std::string& what, result<T> (*parse)(std::string_view), taker<T> take) {
    send("GET", data + what, {},
         [self = shared_from_this(), parse, take](result<client_response> x) {
           take(x ? self->understood(*x, parse) : result<T>{x.error()});
         });
  }

  /// The list as this firmware calls it. That an empty list is not found, or has no content, is
  /// allowed.
  void read_list(std::function<void(uint16_t, result<restconf_pairs>)> then) {
    send("GET", data + "cross-connects/" + list_, {},
         [self = shared_from_this(), then](result<client_response> x) {
           if (!x)
             return then(0, x.error());
           if (x->status == 404 || x->status == 204 || (x->status == 200 && x->body.empty()))
             return then(x->status, restconf_pairs{});
           then(x->status, self->understood(*x, parse_restconf_pairs));
         });
  }

  void measure(switch_identity who, taker<switch_identity> take) {
    get<std::vector<restconf_port>>(
      "port-config/port", parse_restconf_ports,
      [self = shared_from_this(), who, take](result<std::vector<restconf_port>> x) mutable {
        if (!x)
          return take(x.error());
        uint16_t highest = 0;
        for (auto& port : *x)
          highest = std::max(highest, port.id);
        who.size = highest / 2;
        self->find_list(who, take);
      });
  }

  /// "pair", or "pairs" of older firmware.
  void find_list(const switch_identity& who, taker<switch_identity> take) {
    list_ = "pair";
    read_list([self = shared_from_this(), who, take](uint16_t status, result<restconf_pairs> x) {
      if (x ? status != 404 : status == 0)
        return take(x ? result<switch_identity>{who} : result<switch_identity>{x.error()});
      self->list_ = "pairs";
      self->read_list([self, who, take](uint16_t other, result<restconf_pairs> y) {
        if (!y || other == 404)
          self->list_ = "pair"; // Then nothing is joined.
        take(who);
      });
    });
  }

  std::shared_ptr<http_client> http_;
  std::string list_ = "pair";
  std::atomic<uint64_t> nonsense_{0};
};

} // namespace

failure restconf_failure(uint16_t status, std::string_view body) {
  auto said = parse_restconf_error(body);
  auto why = "the switch says " + std::to_string(status) + (said.tag.empty() ? "" : " " + said.tag)
             + (said.message.empty() ? "" : ": " + said.message);
  if (status == 401 || status == 403)
    return {ec::not_allowed, why};
  if (status == 503)
    return {ec::site_unreachable, why};
  if (status == 409 || said.tag == "in-use" || said.tag == "data-exists")
    return {ec::busy, why};
  if (status == 400 || status == 404)
    return {ec::invalid_argument, why};
  return {ec::device_failed, why};
}

status use_restconf(switch_polled_config& config, const environment_ptr& env,
                    const restconf_settings& settings) {
  http_client_settings http;
  http.server = settings.server;
  http.security = settings.security;
  http.tls.ca = settings.ca;
  http.expected_name = settings.expected_name;
  http.content_type = restconf_media;
  http.tracing = {env->lab, env->tap(), restconf_shown};
  http.connect_timeout = settings.connect_timeout;
  http.answer_timeout = settings.answer_timeout;
  if (!settings.user.empty())
    http.authorization = basic_authorization(settings.user, settings.password);
  if (settings.user.find(':') != std::string::npos)
    return {ec::bad_config, "a user's name must not hold a ':'"};
  config.connect = [env, http]() -> result<std::shared_ptr<switch_client>> {
    auto client = http_client::make(env->io->context(), http);
    if (!client)
      return client.error();
    return std::shared_ptr<switch_client>{std::make_shared<restconf_switch>(std::move(*client))};
  };
  // What is wrong with address or certificates is better told at the start.
  auto trial = config.connect();
  return trial ? status{done{}} : status{trial.error()};
}

} // namespace qnfv

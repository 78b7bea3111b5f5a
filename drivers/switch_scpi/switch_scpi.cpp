#include "drivers/switch_scpi/switch_scpi.hpp"

#include "drivers/scpi/codec.hpp"

namespace qnfv {

namespace {

/// Holds itself while a question is under way.
class scpi_switch : public switch_client, public std::enable_shared_from_this<scpi_switch> {
public:
  explicit scpi_switch(std::shared_ptr<scpi_client> client) : client_(std::move(client)) {}

  void identify(taker<switch_identity> take) override {
    query<scpi_identity>("*idn?", parse_scpi_identity,
                         [self = shared_from_this(), take](result<scpi_identity> who) {
                           if (!who)
                             return take(who.error());
                           self->measure({who->maker + " " + who->model, 0}, take);
                         });
  }

  void read(taker<std::vector<cross_connection>> take) override {
    query<scpi_connections>(print_scpi(scpi_command{scpi_word::connections, {}, {}}),
                            parse_scpi_connections, [take](result<scpi_connections> x) {
                              if (!x)
                                return take(x.error());
                              std::vector<cross_connection> out;
                              for (auto& [in, to] : *x)
                                out.push_back({in, to});
                              take(std::move(out));
                            });
  }

  void join(cross_connection x, taker<done> take) override {
    command({scpi_word::connect_add, {x.in}, {x.out}}, std::move(take));
  }

  void part(cross_connection x, taker<done> take) override {
    command({scpi_word::connect_sub, {x.in}, {x.out}}, std::move(take));
  }

  void read_ports(uint16_t size, taker<std::vector<port_state>> take) override {
    scpi_command question{scpi_word::port_states, {}, {}};
    for (uint32_t i = 1; i <= 2u * size; ++i)
      question.first.push_back(static_cast<uint16_t>(i));
    auto parse = [n = question.first.size()](std::string_view text) {
      auto x = parse_scpi_states(text);
      return x && x->size() == n ? x : std::nullopt;
    };
    query<scpi_port_states>(print_scpi(question), parse, [take](result<scpi_port_states> x) {
      if (!x)
        return take(x.error());
      std::vector<port_state> out;
      for (auto state : *x)
        out.push_back(state == scpi_port_state::failed     ? port_state::failed
                      : state == scpi_port_state::disabled ? port_state::disabled
                                                           : port_state::enabled);
      take(std::move(out));
    });
  }

  uint64_t ignored() const override { return client_->ignored(); }

private:
  template <class T>
  void query(std::string line, std::function<std::optional<T>(std::string_view)> parse,
             taker<T> take) {
    auto answer = std::make_shared<std::optional<T>>();
    auto fits = [answer, parse = std::move(parse)](const std::string& text) {
      *answer = parse(text);
      return answer->has_value();
    };
    client_->ask(std::move(line), fits, [self = shared_from_this(), answer, take](status ok) {
      if (!ok)
        return take(ok.error());
      take(std::move(**answer));
    });
  }

  void measure(switch_identity who, taker<switch_identity> take) {
    query<scpi_size>(print_scpi(scpi_command{scpi_word::size, {}, {}}), parse_scpi_size,
                     [who, take](result<scpi_size> x) mutable {
                       if (!x)
                         return take(x.error());
                       if (x->ingress != x->egress || x->ingress > 32767)
                         return take(failure{ec::device_failed, "the switch is not N x N"});
                       who.size = x->ingress;
                       take(std::move(who));
                     });
  }

  /// The switch has done, or tried, what it was told when *opc? is answered; its error queue then
  /// says how it went.
  void command(const scpi_command& x, taker<done> take) {
    auto one = [](std::string_view text) {
      return text == "1" || text == "+1" ? std::optional{done{}} : std::nullopt;
    };
    query<done>(print_scpi_confirmed(x), one, [self = shared_from_this(), take](status ok) {
      if (!ok)
        return take(ok);
      self->look_at_errors(take);
    });
  }

  void look_at_errors(taker<done> take) {
    query<std::vector<scpi_error>>(print_scpi(scpi_command{scpi_word::errors, {}, {}}),
                                   parse_scpi_errors, [take](result<std::vector<scpi_error>> x) {
                                     if (!x) // Not told whether the command went well.
                                       return take(failure{ec::maybe_executed, x.error().text});
                                     if (x->empty())
                                       return take(done{});
                                     take(scpi_failure(x->front().code, x->front().text));
                                   });
  }

  std::shared_ptr<scpi_client> client_;
};

} // namespace

failure scpi_failure(int code, const std::string& text) {
  auto why = "the switch says " + std::to_string(code) + " (" + text.substr(0, 200) + ")";
  if (code == -221)
    return {ec::busy, why};
  if (code <= -220 && code >= -229 && code != -223)
    return {ec::invalid_argument, why};
  return {ec::device_failed, why};
}

status use_scpi(switch_polled_config& config, const environment_ptr& env,
                scpi_client_settings settings) {
  settings.tap = env->tap();
  config.connect = [env, settings]() -> result<std::shared_ptr<switch_client>> {
    auto client = scpi_client::make(env->io->context(), settings);
    if (!client)
      return client.error();
    return std::shared_ptr<switch_client>{std::make_shared<scpi_switch>(std::move(*client))};
  };
  // What is wrong with the address is better told at the start.
  auto trial = config.connect();
  return trial ? status{done{}} : status{trial.error()};
}

} // namespace qnfv

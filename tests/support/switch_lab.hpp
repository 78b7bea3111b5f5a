#pragma once

// An emulated 4x4 switch behind any driver of the SWITCH DRIVER seam, over real sockets. A driver is
// one line of `switch_drivers`: how the switch is reached, and how the driver is started.

#include "drivers/http/basic_auth.hpp"
#include "drivers/switch_emulator/openflow_agent.hpp"
#include "drivers/switch_emulator/restconf_server.hpp"
#include "drivers/switch_emulator/scpi_server.hpp"
#include "drivers/switch_emulator/switch_emulator.hpp"
#include "drivers/switch_openflow/switch_openflow.hpp"
#include "drivers/switch_restconf/switch_restconf.hpp"
#include "drivers/switch_scpi/switch_scpi.hpp"
#include "tests/support/real_world.hpp"

#include <catch2/catch.hpp>

#include <map>

namespace qnfv::test {

using namespace std::chrono_literals;

struct owner_state {
  static inline const char* name = "optical_switch";
};

/// What an optical_switch hears from its driver.
class switch_ear {
public:
  void add(switch_event x) {
    std::lock_guard<std::mutex> guard{mutex_};
    events_.push_back(std::move(x));
    changed_.notify_all();
  }
  /// The next event of that kind, after those already waited for. Throws if none comes.
  switch_event next(switch_event::kind what, duration timeout = 20s) {
    std::unique_lock<std::mutex> lock{mutex_};
    switch_event out;
    auto came = changed_.wait_for(lock, timeout, [&] {
      while (taken_ < events_.size())
        if (auto& x = events_[taken_++]; x.what == what) {
          out = x;
          return true;
        }
      return false;
    });
    if (!came)
      throw std::runtime_error("the switch did not say " + to_string(what));
    return out;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<switch_event> events_;
  size_t taken_ = 0;
};

inline optical_switch_actor::behavior_type
switch_owner(stateful<optical_switch_actor, owner_state>*, std::shared_ptr<switch_ear> ear) {
  auto no = [] { return fail(ec::invalid_argument, "not here"); };
  return {
    [no](const cross_connect&) -> caf::result<accepted> { return no(); },
    [no](const disconnect&) -> caf::result<accepted> { return no(); },
    [no](const read_cross_connections&) -> caf::result<cross_connections> { return no(); },
    [](const switch_status_query&) { return switch_status{}; },
    [no](const switch_fault&) -> caf::result<accepted> { return no(); },
    [ear](const switch_event& x) { ear->add(x); },
    [](const continuation&) {},
    [](const peer_up&) {},
    [](const peer_down&) {},
  };
}

class switch_lab;

struct switch_driver_case {
  bool direct = false; ///< The driver is the emulated switch.
  std::function<void(switch_lab&)> start_switch;
  std::function<void(switch_lab&)> start_driver;
};

class switch_lab {
public:
  static constexpr port_number size = 4;
  static constexpr uint32_t request_timeout_ms = 2000;

  explicit switch_lab(const switch_driver_case& x) : with(x) {
    owner = w.spawn("co", switch_owner, ear);
    if (!with.direct)
      with.start_driver(*this);
    with.start_switch(*this);
    ear->next(switch_event::kind::connected);
  }
  ~switch_lab() {
    // Whoever would dial again goes before who is dialled.
    for (auto* x : {&glass, &driver})
      caf::anon_send_exit(*x, caf::exit_reason::kill);
    if (restconf)
      restconf->stop();
    if (scpi)
      scpi->stop();
  }

  /// The emulated switch, reached through servers; or itself the driver if there are none.
  switch_driver_actor start_glass(std::vector<switch_server> servers) {
    switch_emulator_config c;
    c.name = switch_id{"polatis1"};
    c.size = size;
    c.servers = std::move(servers);
    c.request_timeout_ms = c.servers.empty() ? request_timeout_ms : 0;
    if (c.servers.empty())
      c.owner = owner;
    glass = w.spawn("co", switch_emulator, c);
    return glass;
  }

  result<accepted> connect(port_number in, port_number out) {
    return w.ask<accepted>(driver, cross_connect{{in, out}});
  }
  result<accepted> disconnect(port_number in, port_number out) {
    return w.ask<accepted>(driver, qnfv::disconnect{{in, out}});
  }
  std::vector<cross_connection> read() {
    auto x = w.ask<cross_connections>(driver, read_cross_connections{});
    if (!x)
      FAIL(describe(x.error()));
    return x->joined;
  }
  switch_status status() {
    auto x = w.ask<switch_status>(driver, switch_status_query{});
    REQUIRE(x);
    return *x;
  }
  /// Of the switch itself, behind the driver's back.
  void fault(switch_fault x) { REQUIRE(w.ask<accepted>(glass, x)); }
  ec code(const result<accepted>& x) { return x ? ec::none : x.error().code; }

  const switch_driver_case& with;
  real_world w;
  std::shared_ptr<switch_ear> ear = std::make_shared<switch_ear>();
  optical_switch_actor owner;
  switch_driver_actor glass;
  switch_driver_actor driver;
  std::string address; ///< Where the switch or its controller listens.
  std::shared_ptr<openflow_listener> door;
  std::shared_ptr<scpi_port> scpi;
  std::shared_ptr<http_door> restconf;
};

// -- the drivers
// -----------------------------------------------------------------------------------

inline void start_openflow_switch(switch_lab& x) {
  auto serve = [&x](const switch_driver_actor& glass) {
    openflow_agent_config c;
    c.glass = glass;
    c.controller = *parse_openflow_endpoint(x.address);
    return switch_watcher{spawn_at(x.w.system(), x.w.site("co"), openflow_agent, c)};
  };
  x.start_glass({serve});
}

inline void start_openflow_driver(switch_lab& x) {
  if (!x.door) {
    openflow_listener_settings s;
    s.listen = "127.0.0.1:0";
    x.door = *listen_openflow(x.w.io()->context(), s);
    x.address = x.door->address();
  }
  switch_openflow_config c;
  c.name = switch_id{"polatis1"};
  c.size = switch_lab::size;
  c.datapath = openflow_datapath_default;
  c.listener = x.door;
  c.owner = x.owner;
  c.request_timeout_ms = switch_lab::request_timeout_ms;
  x.driver = x.w.spawn("co", switch_openflow, c);
}

inline void start_bare_switch(switch_lab& x) {
  x.driver = x.start_glass({});
}

/// The port stays when the switch behind it goes.
inline void start_scpi_switch(switch_lab& x) {
  x.start_glass({[&x](const switch_driver_actor& glass) {
    scpi_server_config c;
    c.glass = glass;
    c.port = x.scpi;
    return switch_watcher{spawn_at(x.w.system(), x.w.site("co"), scpi_server, c)};
  }});
}

inline secret switch_password() {
  return secret{byte_view{std::string_view{"light"}}};
}

inline void start_restconf_switch(switch_lab& x, bool old) {
  x.start_glass({[&x, old](const switch_driver_actor& glass) {
    restconf_server_config c;
    c.glass = glass;
    c.door = x.restconf;
    c.authorization = basic_authorization("admin", switch_password());
    c.old_lists = old;
    return switch_watcher{spawn_at(x.w.system(), x.w.site("co"), restconf_server, c)};
  }});
}

inline switch_polled_config polled(switch_lab& x) {
  switch_polled_config c;
  c.name = switch_id{"polatis1"};
  c.owner = x.owner;
  c.poll_ms = 50;
  c.retry_first_ms = 10;
  c.retry_max_ms = 100;
  return c;
}

inline void start_scpi_driver(switch_lab& x) {
  if (!x.scpi) {
    scpi_port_settings s;
    s.listen = "127.0.0.1:0";
    x.scpi = *scpi_port::open(x.w.io()->context(), s);
    x.address = x.scpi->address();
  }
  auto c = polled(x);
  scpi_client_settings s;
  s.server = x.address;
  s.answer_timeout = std::chrono::milliseconds{switch_lab::request_timeout_ms};
  REQUIRE(use_scpi(c, x.w.site("co"), s));
  x.driver = x.w.spawn("co", switch_polled, c);
}

inline void start_restconf_driver(switch_lab& x) {
  if (!x.restconf) {
    x.restconf = *http_door::open(x.w.io()->context(), restconf_http("127.0.0.1:0"));
    x.address = "127.0.0.1:" + std::to_string(x.restconf->port());
  }
  auto c = polled(x);
  restconf_settings s;
  s.server = x.address;
  s.user = "admin";
  s.password = switch_password();
  s.security = http_security::plain;
  s.answer_timeout = std::chrono::milliseconds{switch_lab::request_timeout_ms};
  REQUIRE(use_restconf(c, x.w.site("co"), s));
  x.driver = x.w.spawn("co", switch_polled, c);
}

inline const std::map<std::string, switch_driver_case>& switch_drivers() {
  static const std::map<std::string, switch_driver_case> all{
    {"switch_emulator", {true, start_bare_switch, nullptr}},
    {"switch_openflow", {false, start_openflow_switch, start_openflow_driver}},
    {"switch_scpi", {false, start_scpi_switch, start_scpi_driver}},
    {"switch_restconf",
     {false, [](switch_lab& x) { start_restconf_switch(x, false); }, start_restconf_driver}},
    {"switch_restconf of 2017",
     {false, [](switch_lab& x) { start_restconf_switch(x, true); }, start_restconf_driver}},
  };
  return all;
}

inline std::vector<std::string> switch_driver_names(bool also_direct = true) {
  std::vector<std::string> out;
  for (auto& [name, x] : switch_drivers())
    if (also_direct || !x.direct)
      out.push_back(name);
  return out;
}

} // namespace qnfv::test

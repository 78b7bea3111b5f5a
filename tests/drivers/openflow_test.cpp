// Both ends of OpenFlow against a peer that does what it likes: our controller side, and the
// emulated switch.

#include "drivers/registry.hpp"
#include "drivers/switch_emulator/openflow_face.hpp"
#include "tests/support/openflow_peer.hpp"
#include "tests/support/switch_lab.hpp"

using namespace qnfv;
using namespace qnfv::test;

namespace {

using fault = switch_fault::kind;
using list = std::vector<cross_connection>;
using kind = switch_event::kind;

switch_status of_size(port_number n, list joined = {}) {
  switch_status x;
  x.size = n;
  x.joined = std::move(joined);
  return x;
}

/// The driver, and switches that a test plays.
struct controller_side {
  real_world w;
  std::shared_ptr<switch_ear> ear = std::make_shared<switch_ear>();
  std::shared_ptr<openflow_listener> door;
  switch_driver_actor driver;

  explicit controller_side(std::function<void(switch_openflow_config&)> change = nullptr) {
    openflow_listener_settings s;
    s.listen = "127.0.0.1:0";
    door = *listen_openflow(w.io()->context(), s);
    switch_openflow_config c;
    c.name = switch_id{"polatis1"};
    c.size = 4;
    c.datapath = 0x51e;
    c.listener = door;
    c.owner = w.spawn("co", switch_owner, ear);
    if (change)
      change(c);
    driver = w.spawn("co", switch_openflow, c);
  }

  openflow_peer dial() { return openflow_peer::dial(w.io()->context(), door->address()); }

  /// A switch after its handshake.
  openflow_peer join(uint64_t datapath = 0x51e, list joined = {}) {
    auto x = dial();
    introduce(x, features_of(datapath, of_size(4, std::move(joined))));
    x.next(openflow_type::set_config);
    ear->next(kind::connected);
    return x;
  }
  void introduce(openflow_peer& x, const openflow_features& features) {
    x.next(openflow_type::hello);
    x.send(encode(openflow_type::hello, 1));
    auto asked = x.next(openflow_type::features_request);
    x.send(encode(xid_of(asked), features));
  }
  std::future<ec> connect(port_number in, port_number out) {
    auto code = std::make_shared<std::promise<ec>>();
    auto asker = [driver = driver, code, in, out](instrumented<caf::event_based_actor>* self) {
      self->request(driver, 30s, cross_connect{{in, out}})
        .then([code](accepted&) { code->set_value(ec::none); },
              [code](caf::error& why) { code->set_value(to_failure(why).code); });
    };
    spawn_at(w.system(), w.site("co"), asker);
    return code->get_future();
  }
  switch_status status() { return *w.ask<switch_status>(driver, switch_status_query{}); }
};

/// The emulated switch, and controllers that a test plays.
struct switch_side {
  real_world w;
  std::shared_ptr<openflow_listener> door;
  struct box {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::shared_ptr<openflow_connection>> calls;
  };
  std::shared_ptr<box> box_ = std::make_shared<box>();
  switch_driver_actor glass;

  switch_side() {
    openflow_listener_settings s;
    s.listen = "127.0.0.1:0";
    door = *listen_openflow(w.io()->context(), s);
    door->serve([box = box_](std::shared_ptr<openflow_connection> x) {
      std::lock_guard<std::mutex> guard{box->mutex};
      box->calls.push_back(std::move(x));
      box->changed.notify_all();
    });
    switch_emulator_config c;
    c.name = switch_id{"polatis1"};
    c.size = 4;
    c.request_timeout_ms = 0;
    c.servers = {[this](const switch_driver_actor& x) {
      openflow_agent_config a;
      a.glass = x;
      a.controller = *parse_openflow_endpoint(door->address());
      return switch_watcher{spawn_at(w.system(), w.site("co"), openflow_agent, a)};
    }};
    glass = w.spawn("co", switch_emulator, c);
  }
  ~switch_side() { caf::anon_send_exit(glass, caf::exit_reason::kill); }

  openflow_peer answer() {
    std::unique_lock<std::mutex> lock{box_->mutex};
    REQUIRE(box_->changed.wait_for(lock, 20s, [&] { return !box_->calls.empty(); }));
    openflow_peer x{std::move(box_->calls.front())};
    box_->calls.pop_front();
    x.send(encode(openflow_type::hello, 1));
    x.next(openflow_type::hello);
    return x;
  }
  void set(switch_fault x) { REQUIRE(w.ask<accepted>(glass, x)); }
};

bytes add(uint32_t xid, port_number in, port_number out) {
  return encode(xid, circuit_of({in, out}, true));
}

} // namespace

// -- our controller side
// ---------------------------------------------------------------------------

TEST_CASE("a cross-connection is a CFLOW_MOD and a barrier, answered when the barrier is") {
  controller_side x;
  auto glass = x.join();
  auto answer = x.connect(1, 5);
  auto mod = glass.next();
  CHECK(mod == add(xid_of(mod), 1, 5));
  auto barrier = glass.next();
  CHECK(read_header(barrier)->type == openflow_type::barrier_request);
  CHECK(answer.wait_for(0s) == std::future_status::timeout);
  glass.send(encode(openflow_type::barrier_reply, xid_of(barrier)));
  CHECK(answer.get() == ec::none);
}

TEST_CASE("arrays are padded for a switch that wants it so") {
  controller_side x{[](auto& c) { c.padding = port_padding::each_array; }};
  auto glass = x.join();
  auto answer = x.connect(1, 5);
  auto mod = glass.next();
  CHECK(mod.size() == 40);
  CHECK(mod == encode(xid_of(mod), circuit_of({1, 5}, true), port_padding::each_array));
}

TEST_CASE("a switch that is not ours is turned away, with the reason") {
  controller_side x;
  auto stranger = x.dial();
  x.introduce(stranger, features_of(0x51f, of_size(4)));
  CHECK(stranger.ends());
  CHECK(x.status().trouble.find("00:00:00:00:00:00:05:1f") != std::string::npos);
  auto small = x.dial();
  x.introduce(small, features_of(0x51e, of_size(3)));
  CHECK(small.ends());
  CHECK(x.status().trouble.find("3x3") != std::string::npos);
  auto odd = x.dial();
  auto features = features_of(0x51e, of_size(4));
  features.cports[2].port = 0xFA00;
  x.introduce(odd, features);
  CHECK(odd.ends());
  CHECK(x.status().ignored == 3);
  CHECK_FALSE(x.status().reachable);
  CHECK(x.connect(1, 5).get() == ec::site_unreachable);
  auto ours = x.join();
  CHECK(x.status().reachable);
}

TEST_CASE("a second connection of the switch replaces the first, and a foreign one does not") {
  controller_side x;
  auto first = x.join();
  auto answer = x.connect(1, 5);
  first.next(openflow_type::barrier_request);
  auto stranger = x.dial();
  x.introduce(stranger, features_of(7, of_size(4)));
  CHECK(stranger.ends());
  auto second = x.join(0x51e, {{1, 5}});
  CHECK(first.ends());
  CHECK(answer.get() == ec::maybe_executed);
  auto repeated = x.connect(1, 5);
  second.next(openflow_type::cflow_mod);
  second.send(
    encode(openflow_type::barrier_reply, xid_of(second.next(openflow_type::barrier_request))));
  CHECK(repeated.get() == ec::none);
}

TEST_CASE("words that mean nothing are counted and ignored") {
  controller_side x;
  auto glass = x.join();
  for (uint8_t type : {10, 12, 17, 77, 200})
    glass.send(encode(static_cast<openflow_type>(type), 5, bytes(type)));
  glass.send(encode(openflow_type::cport_status, 6));
  auto later = encode(openflow_type::barrier_reply, 6);
  later[0] = 4;
  glass.send(later);
  glass.send(encode(openflow_type::features_reply, 6, bytes(3)));
  glass.send(encode(openflow_type::error, 6));
  auto answer = x.connect(2, 6);
  auto barrier = glass.next(openflow_type::barrier_request);
  glass.send(encode(openflow_type::barrier_reply, xid_of(barrier) + 1000)); // Nobody's.
  glass.send(encode(xid_of(barrier) + 1000, openflow_error{openflow::circuit_failed, 1, {}}));
  glass.send(encode(openflow_type::barrier_reply, xid_of(barrier)));
  CHECK(answer.get() == ec::none);
  CHECK(x.status().ignored == 9);
  CHECK(x.status().reachable);
}

TEST_CASE("what is no OpenFlow ends the connection") {
  controller_side x;
  auto glass = x.join();
  auto message = encode(openflow_type::hello, 1);
  message[3] = 7;
  glass.send(message);
  x.ear->next(kind::gone);
  CHECK(glass.ends());
}

TEST_CASE("a switch that does not answer echoes is gone") {
  controller_side x{[](auto& c) {
    c.echo_ms = 200;
    c.silent_ms_max = 2000;
  }};
  auto glass = x.join();
  for (int i = 0; i < 5; ++i)
    glass.send(encode(openflow_type::echo_reply, xid_of(glass.next(openflow_type::echo_request))));
  auto gone = x.ear->next(kind::gone);
  CHECK(gone.text.find("silent") != std::string::npos);
  CHECK(glass.ends());
}

TEST_CASE("who does not say who it is gets no place for ever") {
  controller_side x{[](auto& c) {
    c.handshake_timeout_ms = 1000;
    c.strangers_max = 2;
  }};
  auto a = x.dial(), b = x.dial();
  a.next(openflow_type::hello);
  b.next(openflow_type::hello);
  auto c = x.dial();
  CHECK(c.ends());
  CHECK(a.ends());
  CHECK(b.ends());
  x.join();
}

TEST_CASE("a refusal of what is so already is a success; another one says what the switch said") {
  controller_side x;
  auto glass = x.join();
  auto refuse = [&](uint16_t type, uint16_t code, list joined) {
    auto answer = x.connect(1, 5);
    auto mod = glass.next(openflow_type::cflow_mod);
    glass.send(encode(xid_of(mod), openflow_error{type, code, mod}));
    glass.send(
      encode(openflow_type::barrier_reply, xid_of(glass.next(openflow_type::barrier_request))));
    auto asked = glass.next(openflow_type::features_request);
    glass.send(encode(xid_of(asked), features_of(0x51e, of_size(4, joined))));
    return answer.get();
  };
  CHECK(refuse(0xFFFF, 1, {{1, 5}}) == ec::none);
  CHECK(refuse(0xFFFF, 1, {{1, 6}}) == ec::busy);
  CHECK(refuse(0xFFFF, 2, {}) == ec::invalid_argument);
  CHECK(refuse(0xFFFF, 0, {}) == ec::device_failed);
  CHECK(refuse(1, 5, {}) == ec::device_failed);
  CHECK(refuse(99, 99, {}) == ec::device_failed);
}

TEST_CASE("of a switch that names no peers we know what it acknowledged") {
  controller_side x{[](auto& c) { c.names_peers = false; }};
  auto glass = x.join();
  auto answer = x.connect(1, 5);
  glass.send(
    encode(openflow_type::barrier_reply, xid_of(glass.next(openflow_type::barrier_request))));
  CHECK(answer.get() == ec::none);
  CHECK(x.status().joined == list{{1, 5}});
}

TEST_CASE("a peer in another switch is no circuit of this one") {
  auto features = features_of(0x51e, of_size(4, {{1, 5}, {2, 6}}));
  features.cports[1].peer_datapath = 0x51f;
  auto view = circuit_view::of(features);
  REQUIRE(view);
  CHECK(view->joined() == list{{1, 5}});
}

TEST_CASE("ports that name another peer than before are told as a change") {
  auto view = circuit_view::of(features_of(0x51e, of_size(4, {{1, 5}, {2, 6}})));
  REQUIRE(view);
  auto told = [&](uint64_t datapath, list joined) {
    std::vector<switch_event> out;
    for (auto& x : circuits_changed(datapath, of_size(4, std::move(joined))))
      for (auto& event : view->update(x))
        out.push_back(event);
    return out;
  };
  CHECK(told(0x51e, {{1, 5}, {2, 6}}).empty());
  CHECK(told(0x51f, {}).empty());
  auto moved = told(0x51e, {{1, 7}, {2, 6}});
  REQUIRE(moved.size() == 1);
  CHECK(moved[0].what == kind::connected);
  CHECK(moved[0].port == 0);
  CHECK(view->joined() == list{{1, 7}, {2, 6}});
  CHECK(told(0x51e, {{2, 6}}).size() == 1);
  CHECK(view->joined() == list{{2, 6}});
  CHECK(told(0x51e, {{2, 6}, {3, 8}}).size() == 1);
  CHECK(view->joined() == list{{2, 6}, {3, 8}});
  // A port whose light changed says nothing of its peer.
  CHECK(view->update(port_changed(4, {kind::light_lost, 2, "", {}})).size() == 1);
  CHECK(view->joined() == list{{2, 6}, {3, 8}});
}

TEST_CASE("OpenFlow beyond loopback must be asked for") {
  boost::asio::io_context io;
  openflow_listener_settings s;
  s.listen = "0.0.0.0:0";
  CHECK(listen_openflow(io, s).error().code == ec::bad_config);
  s.listen = "nonsense";
  CHECK(listen_openflow(io, s).error().code == ec::bad_config);
  s.listen = "127.0.0.1:0";
  auto door = listen_openflow(io, s);
  REQUIRE(door);
  s.listen = (*door)->address();
  CHECK(listen_openflow(io, s).error().code == ec::site_unreachable);
}

// -- the emulated switch
// ---------------------------------------------------------------------------

TEST_CASE("a barrier waits for the mirrors, an echo does not") {
  switch_side x;
  x.set({fault::none, 0, 300});
  auto controller = x.answer();
  controller.send(add(7, 1, 5));
  controller.send(encode(openflow_type::barrier_request, 8));
  controller.send(encode(openflow_type::echo_request, 9, bytes{1, 2, 3}));
  CHECK(controller.next() == encode(openflow_type::echo_reply, 9, bytes{1, 2, 3}));
  CHECK(controller.next() == encode(openflow_type::barrier_reply, 8));
}

TEST_CASE("an overlap is refused in the addendum's words") {
  switch_side x;
  auto controller = x.answer();
  controller.send(add(3, 1, 5));
  controller.send(add(4, 2, 5));
  controller.send(encode(openflow_type::barrier_request, 5));
  CHECK(controller.next()
        == encode(4, openflow_error{openflow::circuit_failed, openflow::overlap, add(4, 2, 5)}));
  CHECK(controller.next() == encode(openflow_type::barrier_reply, 5));
}

TEST_CASE("a lost order takes its barrier with it, and no other") {
  switch_side x;
  x.set({fault::lost, 1, 25, 1});
  auto controller = x.answer();
  controller.send(add(3, 1, 5));
  controller.send(encode(openflow_type::barrier_request, 4));
  controller.send(add(5, 1, 5));
  controller.send(encode(openflow_type::barrier_request, 6));
  CHECK(controller.next() == encode(openflow_type::barrier_reply, 6));
}

TEST_CASE("lost light is told as a port's status") {
  switch_side x;
  auto controller = x.answer();
  controller.send(encode(openflow_type::features_request, 2));
  controller.next(openflow_type::features_reply);
  x.set({fault::dark, 5});
  auto told = read_cport_status(controller.next());
  REQUIRE(told);
  CHECK(told->reason == cport_reason::modify);
  CHECK(told->port.port == 5);
  CHECK(told->port.name == "out5");
  CHECK(told->port.state == openflow::no_light);
  x.set({fault::none, 5});
  told = read_cport_status(controller.next());
  REQUIRE(told);
  CHECK(told->port.state == 0);
}

TEST_CASE("a switch that lied and is mended tells of every port what it is joined with") {
  switch_side x;
  auto controller = x.answer();
  controller.send(add(3, 2, 6));
  x.set({fault::lying, 1});
  controller.send(add(4, 1, 5));
  controller.send(encode(openflow_type::barrier_request, 5));
  controller.next(openflow_type::barrier_reply);
  x.set({fault::none, 1});
  for (port_number port = 1; port <= 8; ++port) {
    auto told = read_cport_status(controller.next());
    REQUIRE(told);
    CHECK(told->reason == cport_reason::modify);
    CHECK(told->port.port == port);
    CHECK(told->port.peer_datapath == openflow_datapath_default);
    CHECK(told->port.peer_port == (port == 2 ? 6 : port == 6 ? 2 : 0));
  }
}

TEST_CASE("the switch dials again, whatever its controller did") {
  switch_side x;
  { auto controller = x.answer(); }
  {
    auto controller = x.answer();
    auto nonsense = encode(openflow_type::hello, 1);
    nonsense[3] = 0;
    controller.send(nonsense);
    CHECK(controller.ends());
  }
  auto controller = x.answer();
  controller.send(encode(openflow_type::barrier_request, 5));
  CHECK(controller.next() == encode(openflow_type::barrier_reply, 5));
}

TEST_CASE("thousands of orders at once are carried out one by one") {
  switch_side x;
  x.set({fault::none, 0, 0});
  auto controller = x.answer();
  constexpr uint32_t n = 3000;
  for (uint32_t i = 0; i < n; ++i)
    controller.send(encode(openflow_type::barrier_request, i));
  for (uint32_t i = 0; i < n; ++i)
    REQUIRE(controller.next() == encode(openflow_type::barrier_reply, i));
}

TEST_CASE("the switch answers what it does not know with errors, and keeps its settings") {
  switch_side x;
  auto controller = x.answer();
  auto later = encode(openflow_type::barrier_request, 2);
  later[0] = 4;
  controller.send(later);
  CHECK(controller.next() == encode(2, openflow_error{1, openflow::bad_version, later}));
  auto vendor = encode(openflow_type::vendor, 3, bytes(100, 9));
  controller.send(vendor);
  auto error = read_error(controller.next());
  REQUIRE(error);
  CHECK(error->type == openflow::bad_request);
  CHECK(error->code == openflow::bad_type);
  CHECK(error->about == bytes(vendor.begin(), vendor.begin() + 64));
  controller.send(encode(openflow_type::set_config, 4, openflow_config{1, 128}));
  controller.send(encode(openflow_type::get_config_request, 5));
  CHECK(controller.next() == encode(openflow_type::get_config_reply, 5, openflow_config{1, 128}));
}

TEST_CASE("what an order wants of the switch") {
  list joined{{1, 5}, {2, 6}};
  auto plan = [&](circuit_command command, std::vector<uint16_t> in, std::vector<uint16_t> out,
                  uint16_t wildcards = openflow::fibre_form) {
    openflow_cflow_mod x;
    x.command = command;
    x.wildcards = wildcards;
    x.count = static_cast<uint16_t>(std::max(in.size(), out.size()));
    x.in_ports = std::move(in);
    x.out_ports = std::move(out);
    auto y = plan_of(x, joined);
    std::string text = y.refused ? to_string(*y.refused) : "";
    for (auto& step : y.steps)
      text += (step.join ? "+" : "-") + std::to_string(step.ports.in) + ">"
              + std::to_string(step.ports.out) + " ";
    return text;
  };
  using c = circuit_command;
  CHECK(plan(c::add, {3}, {7}) == "+3>7 ");
  CHECK(plan(c::add, {1}, {7}) == "+1>7 "); // The switch itself refuses it.
  CHECK(plan(c::add, {3, 4}, {7, 8}) == "+3>7 +4>8 ");
  CHECK(plan(c::add, {3, 1}, {7, 8}) == "CFLOW_MOD_FAILED: OVERLAP");
  CHECK(plan(c::add, {3, 4}, {7, 5}) == "CFLOW_MOD_FAILED: OVERLAP");
  CHECK(plan(c::add, {3, 3}, {7, 8}) == "CFLOW_MOD_FAILED: OVERLAP");
  CHECK(plan(c::add, {1, 3}, {5, 7}) == "+1>5 +3>7 ");
  CHECK(plan(c::modify, {1}, {7}) == "-1>5 +1>7 ");
  CHECK(plan(c::modify_strict, {1, 2}, {6, 5}) == "-1>5 -2>6 +1>6 +2>5 ");
  CHECK(plan(c::modify, {1}, {5}) == "+1>5 ");
  CHECK(plan(c::remove, {1, 3}, {5, 7}) == "-1>5 -3>7 ");
  CHECK(plan(c::remove, {1}, {}, 0x3E) == "-1>5 ");
  CHECK(plan(c::drop, {}, {6}, 0x3D) == "-2>6 ");
  CHECK(plan(c::add, {1}, {}, 0x3E) == "CFLOW_MOD_FAILED: MISMATCH");
  CHECK(plan(c::add, {}, {}) == "CFLOW_MOD_FAILED: MISMATCH");
  CHECK(plan(c::add, {3}, {7}, 0x0F) == "CFLOW_MOD_FAILED: MISMATCH");
  CHECK(plan(static_cast<c>(9), {3}, {7}) == "CFLOW_MOD_FAILED: MISMATCH");
}

// -- by name
// ---------------------------------------------------------------------------------------

TEST_CASE("a driver and an emulated switch that are started by name meet, again after each death") {
  real_world w;
  auto env = w.site("co");
  auto ear = std::make_shared<switch_ear>();
  switch_driver_settings driver;
  driver.driver = "switch_openflow";
  driver.name = switch_id{"polatis1"};
  driver.size = 4;
  driver.owner = w.spawn("co", switch_owner, ear);
  result<driver_start> start{ec::site_unreachable, ""};
  for (int i = 0; i < 100 && !start; ++i) {
    driver.address = "127.0.0.1:" + std::to_string(20000 + env->random->next() % 10000);
    start = switch_driver(w.system(), env, driver);
  }
  REQUIRE(start);
  emulated_switch_settings glass;
  glass.name = switch_id{"polatis1"};
  glass.size = 4;
  glass.servers.openflow = driver.address;
  auto start_glass = emulated_switch(w.system(), env, glass);
  REQUIRE(start_glass);
  for (int i = 0; i < 2; ++i) {
    auto a = (*start)(), b = (*start_glass)();
    ear->next(kind::connected);
    auto handle = caf::actor_cast<switch_driver_actor>(a);
    CHECK(w.ask<accepted>(handle, cross_connect{{1, 5}}));
    for (auto& x : {a, b})
      caf::anon_send_exit(x, caf::exit_reason::kill);
  }
}

TEST_CASE("what cannot be a switch is bad configuration") {
  real_world w;
  auto env = w.site("co");
  auto code = [&](const std::string& name, port_number size, const std::string& address) {
    switch_driver_settings x;
    x.driver = name;
    x.name = switch_id{"polatis1"};
    x.size = size;
    x.address = address;
    auto start = switch_driver(w.system(), env, x);
    return start ? ec::none : start.error().code;
  };
  CHECK(code("switch_emulator", 127, "") == ec::none);
  CHECK(code("switch_emulator", 0, "") == ec::bad_config);
  CHECK(code("switch_emulator", 128, "") == ec::bad_config);
  CHECK(code("switch_openflow", 24, "nonsense") == ec::bad_config);
  CHECK(code("switch_openflow", 24, "0.0.0.0:0") == ec::bad_config);
  CHECK(code("switch_openflow", 24, "127.0.0.1:0") == ec::none);
  CHECK(code("switch_magic", 24, "") == ec::bad_config);
}

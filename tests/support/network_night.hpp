#pragma once

// A night of a random network: faults, restarts, commands that nobody should obey, and actors of another
// make, at random times.

#include "tests/support/network_checker.hpp"

namespace qnfv::test {

struct night_figures {
  size_t visits = 0, keys = 0, changes = 0, alarms = 0, refused = 0;
};

/// Ports that no fibre ends at: three from each on.
constexpr port_number spare_in = 20, spare_out = 44;

using findings = std::vector<std::string>;

/// What must be refused with one error.
class refusals {
public:
  refusals(random_network& net, findings& found, size_t& refused)
    : net_(net), found_(found), refused_(refused) {}

  template <class Answer, class Handle, class Command>
  void expect(ec code, const std::string& what, const Handle& who, const Command& command) {
    auto answer = net_.w.ask_as<Answer>("co", who, command);
    if (answer)
      found_.push_back(what);
    else if (to_failure(answer.error()).code == code)
      ++refused_;
  }

private:
  random_network& net_;
  findings& found_;
  size_t& refused_;
};

/// Commands of a scheduler that slept while another one took over, to whoever has heard of that one.
inline void woken(random_network& net, findings& found, size_t& refused) {
  auto epoch = net.schedule().epoch;
  if (epoch < 2)
    return;
  auto old = epoch - 1;
  refusals must{net, found, refused};
  auto& x = net.links[net.pick(net.links.size())];
  auto what = [&](const std::string& who) { return "I43 " + who + " obeys epoch " + std::to_string(old); };
  if (x.link.state && x.link.state->status.epoch == epoch) {
    auto link = net.door<link_actor>("link/" + x.id.value);
    must.expect<link_status>(ec::stale_epoch, what(x.id.value), link, claim_link{x.id, old});
    must.expect<accepted>(ec::stale_epoch, what(x.id.value), link, serve_link{x.id, old});
    must.expect<accepted>(ec::stale_epoch, what(x.id.value), link, release_link{x.id, old});
  }
  if (net.controller.state && net.controller.state->fence.highest() == epoch)
    must.expect<path_ready>(ec::stale_epoch, what("the controller"),
                            net.door<sdn_controller_actor>("controller"),
                            connect_path{x.id.value, x.bob_device.value, x.alice_device.value, old});
  for (auto& at : net.switches)
    if (at.commander.state && at.commander.state->fence.highest() == epoch)
      must.expect<accepted>(ec::stale_epoch, what(at.name.value),
                            net.door<optical_switch_actor>(at.name.value),
                            cross_connect{{spare_in, spare_out}, old});
}

/// Somebody starts another link of a Bob who runs a session.
inline void start_another(random_network& net, findings& found, size_t& refused) {
  net.w.run();
  for (auto& x : net.links) {
    auto* bob = net.bobs[x.bob_device].state;
    if (!bob || bob->session == 0 || bob->running == x.id || !x.link.state)
      continue;
    auto next = x.link.state->history.session + 1;
    refusals{net, found, refused}.expect<accepted>(
      ec::busy, "I7 " + x.bob_device.value + " takes " + x.id.value + " beside " + bob->running.value,
      net.door<qkd_device_actor>("device/" + x.bob_device.value),
      start_distilling{x.id, next, bob->fence.highest()});
    return;
  }
}

/// The controller says that the path of a visit is lost: that is its end, whatever the devices say.
inline void lose_path(random_network& net, findings& found) {
  net.w.run();
  for (auto& x : net.links) {
    if (!x.link.state || !x.link.state->status.serving)
      continue;
    auto& state = x.link.state->status.state;
    auto busy = state == link_state::switching || state == link_state::initialising
                || state == link_state::distilling;
    if (!busy)
      continue;
    tell_as(net.w, "co", net.door<link_actor>("link/" + x.id.value), path_lost{x.id.value, "a test"});
    if (state != link_state::lost)
      found.push_back("I29 " + x.id.value + " goes on without its path");
    return;
  }
}

/// Somebody joins three pairs of spare ports by hand, all at once: they are answered in the order they
/// were asked for, and what was answered is true. The next audit parts them.
inline void by_hand(random_network& net, random_network::one_switch& at, findings& found) {
  if (!at.glass.state || net.replaced.count(at.name.value) > 0)
    return;
  if (net.pick(2) == 0)
    net.set_fault(at, {switch_fault::kind::silent, spare_in, at.glass.state->glass->settle_ms(), 1});
  auto order = std::make_shared<std::vector<port_number>>();
  auto untrue = std::make_shared<findings>();
  auto hand = [&net, &at, order, untrue](instrumented<caf::event_based_actor>* self) {
    for (port_number i = 0; i < 3; ++i) {
      cross_connection ports{static_cast<port_number>(spare_in + i),
                             static_cast<port_number>(spare_out + i)};
      self
        ->request(net.door<optical_switch_actor>(at.name.value), 300s, cross_connect{ports})
        .then(
          [=, &at](const accepted&) {
            order->push_back(i);
            auto joined = at.glass.state ? at.glass.state->glass->joined()
                                         : std::vector<cross_connection>{};
            if (std::count(joined.begin(), joined.end(), ports) == 0)
              untrue->push_back(at.name.value + " says that it has joined what it has not");
          },
          [=](const caf::error&) { order->push_back(i); });
    }
  };
  net.w.spawn("co", hand);
  net.w.advance(2min);
  found.insert(found.end(), untrue->begin(), untrue->end());
  if (!std::is_sorted(order->begin(), order->end()))
    found.push_back("commands of " + at.name.value + " are answered in another order");
}

/// What goes wrong next.
inline void trouble(random_network& net, findings& found, size_t& refused) {
  auto& x = net.links[net.pick(net.links.size())];
  auto& at = net.switches[net.pick(net.switches.size())];
  switch (net.pick(13)) {
  case 0:
  case 1: {
    auto kind = static_cast<switch_fault::kind>(1 + net.pick(6));
    const port_number ports[] = {0, 1, 2, static_cast<port_number>(25 + net.pick(8)), 40};
    const uint32_t settle[] = {25, 25, 3000, 60000};
    net.set_fault(at, {kind, ports[net.pick(5)], settle[net.pick(4)],
                       static_cast<uint32_t>(net.pick(4))});
    break;
  }
  case 2: {
    line_conditions line;
    line.light = net.pick(3) != 0;
    line.eavesdropper_share = static_cast<double>(net.pick(101)) / 100;
    net.set_line(x, line);
    break;
  }
  case 3:
  case 4: {
    auto all = net.roles();
    auto& role = all[net.pick(all.size())];
    // A site that is away has no roles to restart.
    for (auto& link : net.links)
      if (!link.alice_up
          && (role.rfind(link.alice_site, 0) == 0 || role == "device/" + link.alice_device.value))
        return;
    net.restart(role);
    break;
  }
  case 5:
    net.another_scheduler();
    break;
  case 6:
    net.alice_up(x, !x.alice_up);
    break;
  case 7:
    woken(net, found, refused);
    break;
  case 8:
    start_another(net, found, refused);
    break;
  case 9:
    lose_path(net, found);
    break;
  case 10:
    by_hand(net, at, found);
    break;
  case 11:
    net.replace_controller();
    break;
  case 12:
    net.replace(at.name.value, net.w.spawn("co", idle_switch, at.name));
    break;
  }
}

inline void recover(random_network& net) {
  for (auto& x : net.switches)
    net.set_fault(x, {});
  for (auto& x : net.links) {
    net.set_line(x, {});
    if (!x.alice_up)
      net.alice_up(x, true);
  }
}

/// Half of the nights by the paper's rules, the others by each of the policies in turn.
inline std::string policy_of(uint64_t seed) {
  auto& names = policy_names();
  return seed % 2 == 0 ? names[seed / 2 % names.size()] : "paper";
}

/// Six hours with trouble at random times. What it found.
inline findings play(uint64_t seed, night_figures& sum) {
  auto policy = policy_of(seed);
  random_network net{seed, policy};
  network_checker rules{net, policy};
  findings found;
  constexpr auto horizon = 6h;
  for (auto end = net.w.now() + horizon; net.w.now() < end;) {
    net.w.advance(std::chrono::seconds{60 + net.pick(2400)});
    net.put_back();
    if (net.pick(4) == 0)
      recover(net);
    else
      trouble(net, found, sum.refused);
  }
  net.put_back();
  recover(net);
  net.w.advance(10min);
  // At the end everybody obeys the youngest scheduler, and only her.
  for (auto& x : net.links)
    if (x.link.state->status.epoch != net.schedule().epoch)
      found.push_back("I43 " + x.id.value + " obeys epoch "
                      + std::to_string(x.link.state->status.epoch) + ", not "
                      + std::to_string(net.schedule().epoch));
  for (auto& x : net.links)
    for (auto& [id, block] : x.blocks)
      sum.keys += block.second == 2 ? 1 : 0;
  sum.visits += rules.visits;
  sum.changes += rules.changes;
  sum.alarms += rules.alarms;
  found.insert(found.begin(), rules.found.begin(), rules.found.end());
  return found;
}

} // namespace qnfv::test

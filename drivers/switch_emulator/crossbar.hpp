#pragma once

// The glass of an emulated optical circuit switch: where its mirrors point, and what it says about
// that. The two differ only when the switch lies. Pure: commands in, verdicts out; the caller waits
// for the mirrors.
//
//   verdict        when                                          the switch's answer
//   as_it_is       a repeated command: nothing moves             yes, at once
//   moves          mirrors turn, or it only says that they do    yes, after settled()
//   no_such_port   not an ingress and an egress port             an error, at once
//   overlap        a port is joined elsewhere                    an error, at once
//   refused        a stuck port                                  an error, at once
//   lost           the command never came                        none, ever
//
// Of light that is parted nothing passes from the beginning of the movement, of light that is joined
// from its end.

#include "runtime/messages/paths.hpp"

#include <map>
#include <optional>
#include <set>

namespace qnfv {

/// What the number of ports allows at most: an OpenFlow switch counts its circuit ports in one byte.
constexpr port_number crossbar_size_max = 127;
constexpr uint32_t crossbar_settle_ms_max = 600000;

class crossbar {
public:
  enum class verdict { as_it_is, moves, no_such_port, overlap, refused, lost };

  /// N x N: ingress ports 1..N, egress ports N+1..2N. 1 to crossbar_size_max.
  explicit crossbar(port_number size) : size_(size) {}

  verdict connect(const cross_connection&);
  verdict disconnect(const cross_connection&);
  /// The mirrors of the last command stand still. Repeating it changes nothing.
  void settled();

  /// False: no such port, or it would take for ever. When the last lie is mended the switch says how
  /// things stand.
  bool set(const switch_fault&);

  port_number size() const { return size_; }
  /// Of every movement from now on.
  uint32_t settle_ms() const { return settle_ms_; }
  /// As the switch says, ascending.
  std::vector<cross_connection> joined() const { return listed(said_); }
  /// As light goes, ascending. Both are injections at any time: one egress port per ingress port,
  /// one ingress port per egress port.
  std::vector<cross_connection> truly_joined() const { return listed(truth_); }
  bool truly_joined(const cross_connection& x) const { return holds(truth_, x); }
  /// Light that enters at `in` leaves at `out`; and the other way, for mirrors know no direction.
  bool light_passes(const cross_connection&) const;
  const std::set<port_number>& dark() const { return dark_; }
  /// Grows whenever any of this may have changed.
  uint64_t changes() const { return changes_; }
  bool has(const cross_connection& x) const {
    return x.in >= 1 && x.in <= size_ && x.out > size_ && x.out <= 2 * size_;
  }

private:
  /// Egress port by ingress port.
  using table = std::map<port_number, port_number>;
  using fault = switch_fault::kind;
  struct set_fault {
    fault what = fault::none;
    uint32_t times = 0; ///< Left; 0: for ever.
  };

  static std::vector<cross_connection> listed(const table&);
  static bool holds(const table&, const cross_connection&);
  static void join(table&, const cross_connection&);
  static void part(table&, const cross_connection&);
  /// Joined to something else than the other one.
  static bool taken(const table&, const cross_connection&);

  /// The fault of a command for these ports: of the ingress, the egress, or of every port.
  fault fault_of(const cross_connection&) const;
  /// That fault hits a command: counts it.
  void hit(const cross_connection&);
  std::map<port_number, set_fault>::const_iterator found(const cross_connection&) const;
  std::optional<port_number> next_free_egress(port_number after) const;

  port_number size_;
  uint32_t settle_ms_ = 25;
  table truth_;
  table said_;
  std::optional<cross_connection> true_when_settled_;
  std::optional<cross_connection> said_when_settled_;
  std::map<port_number, set_fault> faults_; ///< Port 0: every port.
  std::set<port_number> dark_;
  uint64_t changes_ = 0;
};

} // namespace qnfv
